/**
 * What a vite.config.ts gets when it imports this package: Vite hands bare imports of a config to Node as they are, and
 * Node 20 cannot read the TypeScript that our entry is. Everything else, the compiler included, uses src/index.ts.
 */
import { tsImport } from 'tsx/esm/api'

export const {
  bundleInlineScript,
  bundleRemoteModule,
  bundleRequested,
  emitPageModule,
  inlineScripts,
  inlineWorker,
  RemoteModuleError,
  shoal,
  writeStub,
} = await tsImport('./src/index.ts', import.meta.url)
