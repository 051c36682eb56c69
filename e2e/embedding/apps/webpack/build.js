import { writeFileSync } from 'node:fs'
import path from 'node:path'
import webpack from 'webpack'
import { shoal } from '@shoal/sdk/webpack'

const dist = path.resolve('dist')
webpack(
  {
    mode: 'production',
    context: path.resolve('.'),
    entry: './main.js',
    output: { path: dist, filename: 'main.js' },
    plugins: [shoal()],
    performance: false,
  },
  (error, stats) => {
    if (error ?? stats.hasErrors()) throw error ?? new Error(stats.toString('errors-only'))
    writeFileSync(
      path.join(dist, 'index.html'),
      '<!doctype html><title>webpack</title><script src="/main.js"></script>',
    )
  },
)
