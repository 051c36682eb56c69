import { inlineWorker, shoal } from '@shoal/vite-plugin'
import { defineConfig } from 'vite'

/** The site that the signaling server hands out: one page, the room. */
export default defineConfig({
  plugins: [shoal(), inlineWorker()],
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    target: 'es2022',
    // The inlined workers are built inside our plugin's load, which is most of a short build: no news for anybody.
    rolldownOptions: { checks: { pluginTimings: false } },
  },
})
