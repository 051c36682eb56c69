import { mkdir, symlink } from 'node:fs/promises'
import path from 'node:path'
import { loadConfigFromFile, type Plugin } from 'vite'
import { expect, test } from 'vitest'
import { temporaryProject } from './testing/temporary-project.ts'
import * as source from './index.ts'

const PACKAGE = path.resolve(import.meta.dirname, '..')

test('a Vite config can import the package, whose source is TypeScript, on every Node we support', async () => {
  await using project = await temporaryProject({
    'package.json': '{ "type": "module" }',
    'vite.config.ts': `import { shoal, inlineWorker } from '@shoal/vite-plugin'; export default { plugins: [shoal(), inlineWorker()] }`,
  })
  await mkdir(project.path('node_modules/@shoal'), { recursive: true })
  await symlink(PACKAGE, project.path('node_modules/@shoal/vite-plugin'), 'junction')
  const loaded = await loadConfigFromFile(
    { command: 'build', mode: 'test' },
    project.path('vite.config.ts'),
    project.root,
    'silent',
  )
  const names = (loaded?.config.plugins?.flat() as Plugin[]).map(({ name }) => name)
  expect(names).toEqual(['shoal:remote-modules', 'shoal:inline-worker'])
})

test('the entry for configs exports what the source does', async () => {
  const entry = (await import(path.join(PACKAGE, 'config-entry.mjs'))) as object
  expect(Object.keys(entry).sort()).toEqual(Object.keys(source).sort())
})
