export { platformClock } from './platform-clock.ts'
export { createTab } from './tab.ts'
export type { Tab, TabOptions } from './tab.ts'
export type { Joined, JoinRequest } from './tab-messages.ts'
