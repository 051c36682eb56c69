/** The ordered list of layers: an import goes to a smaller number, or stays in its own where that is no peer. */
export const LAYERS: readonly (readonly string[])[] = [
  ['packages/base'],
  ['packages/protocol', 'packages/capture'],
  ['packages/transport', 'packages/core-worker'],
  ['packages/control-store', 'packages/object-store', 'packages/scheduler'],
  ['packages/executor'],
  ['packages/node'],
  ['packages/sdk', 'packages/vite-plugin'],
  ['packages/rl', 'packages/util', 'packages/collective', 'packages/learn', 'packages/data', 'packages/serve'],
  ['apps/*', 'e2e', 'bench'],
]

/** The three that only `node` introduces to each other. */
export const PEERS_LAYER = 3

/** Written as an outsider would: from the SDK's public entry alone. */
export const LIBRARIES_LAYER = 7

/** The simulated rooms may see everything and are seen by tests only. */
export const TESTING_PACKAGE = 'packages/testing'

/** Stands beside the layers: what it forwards is sealed, so it needs no more than the words of the wire. */
export const SIGNALING_SERVER = 'signaling-server'
export const SIGNALING_SERVER_MAY_IMPORT: readonly string[] = ['packages/base', 'packages/protocol']

/** The repository's own tools: they may read every package by its entry. */
export const TOOLS = 'scripts'

/** @returns the layer of a workspace folder, undefined for those that stand beside the layers or are unknown */
export function layerOf(folder: string): number | undefined {
  const name = folder.startsWith('apps/') ? 'apps/*' : folder
  const layer = LAYERS.findIndex((names) => names.includes(name))
  return layer === -1 ? undefined : layer
}

/** Whether this list says anything about a workspace folder. */
export function isKnownFolder(folder: string): boolean {
  return layerOf(folder) !== undefined || [TESTING_PACKAGE, SIGNALING_SERVER, TOOLS].includes(folder)
}
