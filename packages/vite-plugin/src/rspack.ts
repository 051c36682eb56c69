// The entry for rspack's configuration: `import shoal from '@shoal/sdk/rspack'`, then `plugins: [shoal()]`.
import { shoalUnplugin } from './unplugin.ts'

export default shoalUnplugin.rspack
