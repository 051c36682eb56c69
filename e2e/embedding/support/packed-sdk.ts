import { existsSync } from 'node:fs'
import path from 'node:path'
import { contentHash, listFiles } from '../../../scripts/lib/fingerprint.mjs'
import { readStamp, writeStamp } from '../../../scripts/lib/stamp.mjs'
import { packSdk } from '../../../scripts/pack-sdk/pack.ts'

const root = path.join(import.meta.dirname, '../../..')
const outDir = path.join(root, '.shoal/packed')
const stampPath = path.join(root, '.shoal/packed.json')
const SOURCES = ['packages', 'scripts/pack-sdk', 'docs/embedding.md', 'package-lock.json', 'tsconfig.json']

/** The tarball of the present sources; made again when one of them changed. */
export async function packedTarball(): Promise<string> {
  const files = listFiles(root, SOURCES, (file) => !/(^|\/)(node_modules|dist|fixtures)\/$|\.test\.ts$/.test(file))
  const content = contentHash(root, files)
  const { content: last, tarball: lastTarball } = readStamp(stampPath)
  if (last === content && lastTarball !== undefined && existsSync(lastTarball)) return lastTarball
  const { tarball } = await packSdk(outDir)
  writeStamp(stampPath, { content, tarball })
  return tarball
}
