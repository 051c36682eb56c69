export type { ReadyTask } from './ready-queue.ts'
export { Scheduler } from './scheduler.ts'
export type { SchedulerEffect, SchedulerEvent, SchedulerOptions } from './scheduler.ts'
