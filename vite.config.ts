/// <reference types="vitest/config" />
import { defineConfig } from 'vite'

/**
 * Tests of the whole repository that run in Node: unit and simulation. The site has its own configuration in
 * apps/room, browsers have theirs in e2e.
 */
export default defineConfig({
  test: {
    projects: [
      {
        extends: true,
        test: {
          name: 'node',
          environment: 'node',
          include: ['packages', 'apps', 'signaling-server', 'bench', 'scripts'].map(
            (root) => `${root}/**/*.test.{ts,tsx,mjs}`,
          ),
          exclude: ['**/node_modules/**', '**/dist/**', '**/fixtures/**', '**/*.web.test.ts'],
        },
      },
    ],
  },
})
