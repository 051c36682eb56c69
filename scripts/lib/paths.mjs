import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The repository's root folder, absolute. */
export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))))

/** What the commands remember between runs (stamps, reports); ignored by git, safe to delete. */
export const stateDir = join(root, '.shoal')

/** Entry files of the tools, run with this very Node: no `.cmd` shims on Windows, no shell, no PATH. */
export const tools = {
  vite: join(root, 'node_modules/vite/bin/vite.js'),
  vitest: join(root, 'node_modules/vitest/vitest.mjs'),
  eslint: join(root, 'node_modules/eslint/bin/eslint.js'),
  prettier: join(root, 'node_modules/prettier/bin/prettier.cjs'),
  tsc: join(root, 'node_modules/typescript/bin/tsc'),
  playwright: join(root, 'node_modules/@playwright/test/cli.js'),
}
