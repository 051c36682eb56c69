// Writes what SWC and Istanbul make of packages/capture/src/testing/cases.ts, for the fixture matrix. They are no
// dependencies of ours; install them for one run:
//   npm install --no-save @swc/core istanbul-lib-instrument && npx tsx scripts/emit-capture-cases.ts
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import ts from 'typescript'

interface Swc {
  transformSync(source: string, options: object): { readonly code: string }
}

interface Istanbul {
  createInstrumenter(options: object): { instrumentSync(code: string, file: string): string }
}

const folder = path.resolve(import.meta.dirname, '../packages/capture/src/testing')
const source = readFileSync(path.join(folder, 'cases.ts'), 'utf8')
const require = createRequire(import.meta.url)
const swc = require('@swc/core') as Swc
const istanbul = require('istanbul-lib-instrument') as Istanbul

function bySwc(target: string, minify: boolean): string {
  const { code } = swc.transformSync(source, {
    filename: 'cases.ts',
    swcrc: false,
    minify,
    module: { type: 'es6' },
    jsc: {
      parser: { syntax: 'typescript' },
      target,
      // As bundlers' loaders have it: helpers are imported, not written into every file.
      externalHelpers: false,
      ...(minify && { minify: { compress: true, mangle: { toplevel: true }, module: true } }),
    },
  })
  return code
}

function byIstanbul(): string {
  const { outputText } = ts.transpileModule(source, {
    compilerOptions: { target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext },
  })
  return istanbul.createInstrumenter({ esModules: true, compact: false }).instrumentSync(outputText, '/cases.ts')
}

const emitted = {
  'swc-es2022': bySwc('es2022', false),
  'swc-es2022-minified': bySwc('es2022', true),
  'swc-es2017': bySwc('es2017', false),
  istanbul: byIstanbul(),
}
mkdirSync(path.join(folder, 'emitted'), { recursive: true })
const mark = `// of ${createHash('sha256').update(source).digest('hex')}`
for (const [name, code] of Object.entries(emitted))
  writeFileSync(path.join(folder, 'emitted', `${name}.txt`), `${mark}\n${code}`)
