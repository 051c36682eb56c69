export type { Arity } from '@shoal/core-worker'
export { moduleActor, moduleFunction, replaceBundle } from '../remote-module.ts'
export type { ModuleBundle } from '../module-bundles.ts'
