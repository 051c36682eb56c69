/**
 * Makes the tarball that apps install: the SDK with all @shoal packages inside. `folder` is emptied and filled with the
 * package; the tarball lies beside it.
 */
import { spawn } from 'node:child_process'
import { copyFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { bundlePage } from './bundle-page.ts'
import { bundleTools } from './bundle-tools.ts'
import { bundleTypes } from './bundle-types.ts'
import { root } from './entries.ts'
import { thirdPartyLicenses } from './licenses.ts'
import { packedManifest } from './manifest.ts'

export interface PackedSdk {
  /** The package as npm would unpack it. */
  readonly folder: string
  /** The `.tgz`. */
  readonly tarball: string
}

export async function packSdk(outDir = path.join(root, 'packages/sdk/dist')): Promise<PackedSdk> {
  const [page, tools, types] = await Promise.all([bundlePage(), bundleTools(), bundleTypes()])
  const folder = path.join(outDir, 'package')
  rmSync(outDir, { recursive: true, force: true })
  const write = (name: string, text: string): void => {
    const file = path.join(folder, name)
    mkdirSync(path.dirname(file), { recursive: true })
    writeFileSync(file, text)
  }
  for (const [name, text] of [...page.files, ...tools.files, ...types]) write(`dist/${name}`, text)
  write('package.json', `${JSON.stringify(packedManifest(tools.imports), null, 2)}\n`)
  write('THIRD-PARTY-LICENSES', thirdPartyLicenses(new Set([...page.modules, ...tools.modules])))
  copyFileSync(path.join(root, 'LICENSE'), path.join(folder, 'LICENSE'))
  copyFileSync(path.join(root, 'docs/embedding.md'), path.join(folder, 'README.md'))
  return { folder, tarball: path.join(outDir, await npmPack(folder, outDir)) }
}

/** @returns the tarball's name */
async function npmPack(folder: string, outDir: string): Promise<string> {
  const args = ['pack', folder, '--ignore-scripts', '--json', '--loglevel=error', '--pack-destination', outDir]
  // Under `npm run` this is npm itself, and node runs it on every system; else the command on the path.
  const npm = process.env['npm_execpath']
  const child = npm?.endsWith('.js')
    ? spawn(process.execPath, [npm, ...args])
    : spawn('npm', args, { shell: process.platform === 'win32' })
  let out = ''
  let problem = ''
  child.stdout.on('data', (data: Buffer) => (out += data.toString()))
  child.stderr.on('data', (data: Buffer) => (problem += data.toString()))
  const code = await new Promise<number | null>((resolve, reject) => child.once('error', reject).once('close', resolve))
  if (code !== 0) throw new Error(`npm pack failed: ${problem}`)
  const [packed] = JSON.parse(out) as [{ filename: string }]
  return packed.filename
}
