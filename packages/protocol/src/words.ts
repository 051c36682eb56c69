// Lists of words that small scripts need without the messages that are made of them.

export const LOG_LEVELS = ['log', 'info', 'warn', 'error', 'debug'] as const

/** How an actor is ended. */
export const ACTOR_ENDS = ['kill', 'terminate'] as const

/** Calls by a node of its own actors, in the place of a method's name: give the state for a checkpoint, take it in. */
export const STATE_CALLS = { save: '#save', restore: '#restore' } as const

/** As in Ray: DEFAULT runs at home what it can, SPREAD goes from node to node. */
export const STRATEGIES = ['DEFAULT', 'SPREAD'] as const

/** How the bundles of a placement group lie; Ray's words. The strict ones hold, the others are wishes. */
export const GROUP_STRATEGIES = ['PACK', 'SPREAD', 'STRICT_PACK', 'STRICT_SPREAD'] as const
export type GroupStrategy = (typeof GROUP_STRATEGIES)[number]
