import { shoalUnplugin } from './unplugin.ts'

/** The plugin for esbuild: `import { shoal } from '@shoal/sdk/esbuild'`, then `plugins: [shoal()]`. */
export const shoal = shoalUnplugin.esbuild
