// The entry for webpack's configuration: `import shoal from '@shoal/sdk/webpack'`, then `plugins: [shoal()]`.
import { shoalUnplugin } from './unplugin.ts'

export default shoalUnplugin.webpack
