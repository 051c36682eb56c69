/**
 * The protocol's version; two nodes talk only when it is the same, others are told to reload.
 * History: 1, first light. 2, links carry what is between others, and reports of links.
 */
export const PROTOCOL_VERSION = 2
