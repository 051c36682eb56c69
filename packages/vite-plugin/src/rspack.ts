import { shoalUnplugin } from './unplugin.ts'

/** The plugin for rspack: `import { shoal } from '@shoal/sdk/rspack'`, then `plugins: [shoal()]`. */
export const shoal = shoalUnplugin.rspack
