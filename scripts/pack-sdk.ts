// `npm run pack:sdk`: the tarball of @shoal/sdk, into packages/sdk/dist.
import path from 'node:path'
import { statSync } from 'node:fs'
import { root } from './pack-sdk/entries.ts'
import { packSdk } from './pack-sdk/pack.ts'

const { tarball } = await packSdk()
console.log(`${path.relative(root, tarball)}  ${(statSync(tarball).size / 1000).toFixed(0)} kB`)
