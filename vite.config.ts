/// <reference types="vitest/config" />
import { register } from 'tsx/esm/api'
import { defineConfig } from 'vite'

// The plugin is TypeScript from the next folder, and so is what it imports: Vite leaves packages to Node, which on the
// 20 line needs this to load them.
register()
const { inlineWorker, shoal } = await import('@shoal/vite-plugin')

/**
 * Tests of the whole repository that run in Node: unit and simulation. The site has its own configuration in
 * apps/room, browsers have theirs in e2e.
 */
export default defineConfig({
  // Remote modules mean in a test what they mean in the site, and so do the workers that the SDK carries as text.
  plugins: [shoal(), inlineWorker()],
  test: {
    // By default one less than there are cores, which on two halves the rate.
    maxWorkers: '100%',
    projects: [
      {
        extends: true,
        test: {
          name: 'node',
          environment: 'node',
          // Simulated time costs what the machine's other work leaves; how fast anything is, is the bench's to say.
          testTimeout: 30_000,
          include: ['packages', 'apps', 'signaling-server', 'e2e', 'bench', 'scripts'].map(
            (root) => `${root}/**/*.test.{ts,tsx,mjs}`,
          ),
          exclude: ['**/node_modules/**', '**/dist/**', '**/fixtures/**', '**/*.web.test.ts'],
        },
      },
    ],
  },
})
