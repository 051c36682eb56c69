import { inlineWorker, shoal } from '@shoal/vite-plugin'
import { defineConfig } from 'vite'

/** The site that the signaling server hands out: one page, the room. */
export default defineConfig({
  plugins: [shoal(), inlineWorker()],
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: { outDir: 'dist', emptyOutDir: true, target: 'es2022' },
})
