// The entry for rollup's configuration: `import shoal from '@shoal/sdk/rollup'`, then `plugins: [shoal()]`.
import { shoalUnplugin } from './unplugin.ts'

export default shoalUnplugin.rollup
