import { pageEntries, readPackage, toolEntries } from './entries.ts'

/** Files of the tarball that apps name: pages host them, or load them without a bundler. */
const FILES = [
  'shoal.js',
  'sandbox.html',
  'node-worker.js',
  'node-worker-capture.js',
  'node-worker-noble.js',
  'node-worker-room.js',
  'node-worker-state.js',
  'node-worker-faults.js',
]

/** The tools' entry behind `npx shoal`; it runs when it is imported, and nobody else does. */
const COMMAND = 'cli'

/** Bundlers whose plugins are there; whoever uses one has it, nobody else needs it. */
const BUNDLERS = ['vite', 'webpack', 'rollup', 'esbuild', '@rspack/core', 'rolldown', 'unplugin']

/**
 * The tarball's package.json. `imports`: packages that its tools leave outside.
 *
 * @throws Error when one of them has no version in the packages' own package.json.
 */
export function packedManifest(imports: ReadonlySet<string>): Record<string, unknown> {
  const { version, license } = readPackage('packages/sdk')
  const plugin = readPackage('packages/vite-plugin')
  const dependencies: Record<string, string> = {}
  for (const name of [...imports].sort()) {
    const range = plugin.dependencies?.[name] ?? readPackage('packages/capture').dependencies?.[name]
    if (range !== undefined) dependencies[name] = range
    else if (plugin.peerDependencies?.[name] === undefined && !BUNDLERS.includes(name))
      throw new Error(`the tools import ${name}, which no package.json of theirs names`)
  }
  const entries = [...pageEntries(), ...toolEntries().filter(({ name }) => name !== COMMAND)]
  const modules = entries.map(({ key, name }) => [key, { types: `./dist/${name}.d.ts`, default: `./dist/${name}.js` }])
  const files = FILES.map((file) => [
    `./${file}`,
    file === 'shoal.js' ? { types: './dist/shoal.d.ts', default: './dist/shoal.js' } : `./dist/${file}`,
  ])
  return {
    name: '@shoal/sdk',
    version,
    description: 'Ray for browser tabs: tasks, actors and objects over WebRTC.',
    license,
    type: 'module',
    sideEffects: false,
    engines: { node: '>=20.19' },
    types: './dist/index.d.ts',
    bin: { shoal: `./dist/${COMMAND}.js` },
    exports: { ...Object.fromEntries([...modules, ...files]), './package.json': './package.json' },
    files: ['dist', 'THIRD-PARTY-LICENSES'],
    dependencies,
    peerDependencies: plugin.peerDependencies ?? {},
    // Whoever wants them has them.
    peerDependenciesMeta: Object.fromEntries(
      Object.keys(plugin.peerDependencies ?? {}).map((name) => [name, { optional: true }]),
    ),
  }
}
