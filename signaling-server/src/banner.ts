import { renderUnicodeCompact } from 'uqr'
import type { ServerUrls } from './server.ts'

/** What a person sees when the server is up. `isOtherPort`: 8080 was taken. */
export function banner(options: {
  readonly urls: ServerUrls
  readonly port: number
  readonly isOtherPort: boolean
}): string {
  const { urls, port, isOtherPort } = options
  const lines: string[] = ['']
  const row = (name: string, text: string): number => lines.push(`  ${name.padEnd(8)} ${text}`)
  if (isOtherPort) lines.push(`  Port 8080 is taken; this is port ${port}.`, '')
  row('here', urls.local)
  if (urls.network !== undefined && urls.network !== urls.local) row('network', urls.network)
  if (urls.secureLocal !== undefined) row('https', [urls.secureLocal, urls.secureNetwork].filter(Boolean).join('  '))
  for (const { url, interfaceName } of urls.others) row('also', `${url}  (${interfaceName})`)
  const scanned = urls.network
  if (scanned !== undefined) {
    lines.push(
      '',
      ...renderUnicodeCompact(scanned, { border: 2 })
        .split('\n')
        .map((line) => `  ${line}`),
    )
    lines.push(`  Scan it with a phone on the same network.`)
  } else {
    lines.push('', '  Only this machine can reach it.')
  }
  if (urls.note !== undefined && scanned !== undefined) lines.push(`  ${urls.note}`)
  lines.push('  Ctrl-C stops it.', '')
  return lines.join('\n')
}
