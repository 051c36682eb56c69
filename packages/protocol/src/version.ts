/**
 * The protocol's version; two nodes talk only when it is the same, others are told to reload.
 * History: 1, first light; 2, ledgers, names of actors, routed links and their reports, digests of 32 bytes; 3, snapshots of
 * ledgers; 4, restarts and names of actors, cancellation, questions about state; 5, streams; 6, checkpoints of
 * actors; 7, labels of nodes; 9, placement groups; 10, errors of GPUs; 11, events of tasks, links and stores of nodes.
 */
export const PROTOCOL_VERSION = 11
