export { moduleActor, moduleFunction } from '../remote-module.ts'
export type { ModuleBundle } from '../remote-module.ts'
