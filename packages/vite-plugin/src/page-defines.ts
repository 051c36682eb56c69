import type { ResolvedConfig } from 'vite'

/** What the page's build replaces, so that code shared with a bundle of ours means the same on both sides. */
export function pageDefines(config: ResolvedConfig): Record<string, string> {
  const defines: Record<string, string> = {
    'process.env.NODE_ENV': JSON.stringify(config.isProduction ? 'production' : 'development'),
    'import.meta.env': JSON.stringify(config.env),
  }
  for (const [name, value] of Object.entries(config.env as Record<string, unknown>)) {
    defines[`import.meta.env.${name}`] = asExpression(value)
  }
  for (const [name, value] of Object.entries((config.define ?? {}) as Record<string, unknown>)) {
    defines[name] = typeof value === 'string' ? value : asExpression(value)
  }
  return defines
}

function asExpression(value: unknown): string {
  return value === undefined ? 'undefined' : JSON.stringify(value)
}
