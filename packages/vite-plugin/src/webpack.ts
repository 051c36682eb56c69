import { shoalUnplugin } from './unplugin.ts'

/** The plugin for webpack: `import { shoal } from '@shoal/sdk/webpack'`, then `plugins: [shoal()]`. */
export const shoal = shoalUnplugin.webpack
