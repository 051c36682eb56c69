import { inlineWorker, shoal } from '@shoal/vite-plugin'
import { defineConfig } from 'vite'

export default defineConfig({
  root: new URL('./src/page', import.meta.url).pathname,
  plugins: [shoal(), inlineWorker()],
  worker: { format: 'es', plugins: () => [shoal(), inlineWorker()] },
  // The inlined workers are built inside our plugin's load, which is most of a short build: no news for anybody.
  build: {
    rolldownOptions: { checks: { pluginTimings: false } },
    target: 'es2022',
    outDir: new URL('./dist', import.meta.url).pathname,
    emptyOutDir: true,
  },
})
