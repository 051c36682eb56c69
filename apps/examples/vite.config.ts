import { inlineWorker, shoal } from '@shoal/vite-plugin'
import { defineConfig } from 'vite'

/** Five examples on one page; `npm run examples` builds it and serves it beside a signaling server. */
export default defineConfig({
  plugins: [shoal(), inlineWorker()],
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    target: 'es2022',
    rolldownOptions: { checks: { pluginTimings: false } },
  },
})
