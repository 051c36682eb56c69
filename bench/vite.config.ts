import { inlineWorker, shoal } from '@shoal/vite-plugin'
import { defineConfig } from 'vite'

export default defineConfig({
  root: new URL('./src/page', import.meta.url).pathname,
  plugins: [shoal(), inlineWorker()],
  build: { target: 'es2022', outDir: new URL('./dist', import.meta.url).pathname, emptyOutDir: true },
})
