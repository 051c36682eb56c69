// The entry for users' Vite configurations, `@shoal/sdk/vite` in the packed SDK; by both names, since the other bundlers'
// entries have a default export.
export { shoal, shoal as default } from './shoal-plugin.ts'
export type { ShoalPluginOptions } from './shoal-plugin.ts'
