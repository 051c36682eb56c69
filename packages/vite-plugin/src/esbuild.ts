// The entry for esbuild's configuration: `import shoal from '@shoal/sdk/esbuild'`, then `plugins: [shoal()]`.
import { shoalUnplugin } from './unplugin.ts'

export default shoalUnplugin.esbuild
