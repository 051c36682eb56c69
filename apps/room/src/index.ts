/** What programs that drive the page need to know of it: types alone, the page itself is `index.html`. */
export type { MachineInterface } from './machine-interface.ts'
export type { PageUrl, RunName } from './model/page-url.ts'
export type { NodeWork, RunReport } from './model/run-report.ts'
