// Lists of words that small scripts need without the messages that are made of them.

export const LOG_LEVELS = ['log', 'info', 'warn', 'error', 'debug'] as const

/** How an actor is ended. */
export const ACTOR_ENDS = ['kill', 'terminate'] as const

/** Calls by a node of its own actors, in the place of a method's name: give the state for a checkpoint, take it in. */
export const STATE_CALLS = { save: '#save', restore: '#restore' } as const

/** As in Ray: DEFAULT runs at home what it can, SPREAD goes from node to node. */
export const STRATEGIES = ['DEFAULT', 'SPREAD'] as const
