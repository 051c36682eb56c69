/** What the tarball offers, derived from what the packages offer: a new entry of theirs is packed without a word here. */
import { readFileSync } from 'node:fs'
import path from 'node:path'

export const root = path.resolve(import.meta.dirname, '../..')

interface PackageJson {
  readonly version: string
  readonly license: string
  readonly exports: Readonly<Record<string, string | Readonly<Record<string, string>>>>
  readonly dependencies?: Readonly<Record<string, string>>
  readonly peerDependencies?: Readonly<Record<string, string>>
}

export interface Entry {
  /** Its key in the tarball's exports, e.g. `./testing`. */
  readonly key: string
  /** The file's name without an ending. */
  readonly name: string
  /** Absolute path of the TypeScript source. */
  readonly source: string
}

export function readPackage(folder: string): PackageJson {
  return JSON.parse(readFileSync(path.join(root, folder, 'package.json'), 'utf8')) as PackageJson
}

/** What pages import. They share their chunks: two of them must never have a session each. */
export function pageEntries(): Entry[] {
  return entriesOf('packages/sdk')
}

/** What a bundler's configuration imports, and the command. They run in Node. */
export function toolEntries(): Entry[] {
  return entriesOf('packages/vite-plugin').filter(({ key }) => key !== '.' && key !== './inline-worker')
}

function entriesOf(folder: string): Entry[] {
  return Object.entries(readPackage(folder).exports).map(([key, target]) => {
    const file = typeof target === 'string' ? target : (target.default ?? target.types ?? '')
    return { key, name: key === '.' ? 'index' : key.slice(2), source: path.join(root, folder, file) }
  })
}
