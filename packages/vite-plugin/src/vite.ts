// The entry for users' Vite configurations, `@shoal/sdk/vite` in the packed SDK.
export { shoal } from './shoal-plugin.ts'
export type { ShoalPluginOptions } from './shoal-plugin.ts'
