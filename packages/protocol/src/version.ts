/**
 * The protocol's version; two nodes talk only when it is the same, others are told to reload.
 * History: 1, first light.
 */
export const PROTOCOL_VERSION = 1
