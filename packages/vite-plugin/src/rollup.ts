import { shoalUnplugin } from './unplugin.ts'

/** The plugin for rollup: `import { shoal } from '@shoal/sdk/rollup'`, then `plugins: [shoal()]`. */
export const shoal = shoalUnplugin.rollup
