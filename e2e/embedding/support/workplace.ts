/**
 * A folder of a user: the sample apps, and a node_modules with the SDK out of its tarball beside the tools that an app
 * brings itself. Those are links into this repository's, so that nothing is downloaded; no @shoal package is among them.
 */
import { spawn } from 'node:child_process'
import { cp, mkdir, mkdtemp, rename, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'

const repository = path.join(import.meta.dirname, '../../..')

/** What the apps' own package.json would name, and the dependencies of the SDK that npm would install with it. */
const TOOLS = ['vite', 'webpack', 'react', 'react-dom', 'typescript', 'rolldown', 'unplugin']

export interface Workplace {
  /** The folder of an app. */
  app(name: string): string
  /** A file that the SDK ships, in its `dist`. */
  shipped(name: string): string
  /** Runs a script with Node in an app's folder. Resolves with what it printed. @throws Error with that when it fails. */
  run(app: string, ...args: string[]): Promise<string>
  remove(): Promise<void>
}

export async function createWorkplace(tarball: string): Promise<Workplace> {
  const root = await mkdtemp(path.join(tmpdir(), 'shoal-embedding-'))
  const modules = path.join(root, 'node_modules')
  await mkdir(path.join(modules, '@shoal'), { recursive: true })
  await cp(path.join(import.meta.dirname, '../apps'), root, { recursive: true })
  await node('tar', ['-xzf', tarball, '-C', root], root)
  await rename(path.join(root, 'package'), path.join(modules, '@shoal/sdk'))
  for (const tool of TOOLS)
    await symlink(path.join(repository, 'node_modules', tool), path.join(modules, tool), 'junction')
  return {
    app: (name) => path.join(root, name),
    shipped: (name) => path.join(modules, '@shoal/sdk/dist', name),
    run: (app, ...args) => node(process.execPath, args, path.join(root, app)),
    remove: () => rm(root, { recursive: true, force: true }),
  }
}

/** Without what the tests' own tools left in theirs: a Vite build sets NODE_ENV for everything after it. */
export function userEnvironment(): NodeJS.ProcessEnv {
  const { NODE_OPTIONS: _options, NODE_ENV: _mode, ...env } = process.env
  return { ...env, NO_COLOR: '1' }
}

async function node(command: string, args: readonly string[], cwd: string): Promise<string> {
  const child = spawn(command, args, { cwd, env: userEnvironment(), stdio: ['ignore', 'pipe', 'pipe'] })
  let out = ''
  let problem = ''
  child.stdout.on('data', (data: Buffer) => (out += data.toString()))
  child.stderr.on('data', (data: Buffer) => (problem += data.toString()))
  const code = await new Promise<number | null>((resolve, reject) => child.once('error', reject).once('close', resolve))
  if (code !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${code}:\n${out}${problem}`)
  return out
}
