export const VERSION = 'one'
