import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { toError } from '@shoal/base'
import { findAddresses } from './addresses.ts'
import { banner } from './banner.ts'
import { ownCertificate, selfSignedCertificate } from './certificate.ts'
import type { Certificate } from './certificate.ts'
import { readCommandLine, USAGE } from './command-line.ts'
import type { CommandLine } from './command-line.ts'
import { createTerminalLog } from './log.ts'
import { createSignalingServer } from './server.ts'

const DEFAULT_SITE = fileURLToPath(new URL('../../apps/room/dist', import.meta.url))

/** The server as a program: runs until SIGINT or SIGTERM. Gives back the process's exit code. */
async function main(args: readonly string[]): Promise<number> {
  let flags: CommandLine
  try {
    flags = readCommandLine(args, DEFAULT_SITE)
  } catch (error) {
    console.error(`${toError(error).message}\n\n${USAGE}`)
    return 2
  }
  if (flags.isHelp) {
    console.log(USAGE)
    return 0
  }
  const log = createTerminalLog({
    level: flags.isVerbose ? 'debug' : flags.isJson ? 'info' : 'warn',
    isJson: flags.isJson,
  })
  if (!existsSync(flags.site)) log.warn(`there is no site at ${flags.site}: only signaling is served`)
  const stopped = nextSignal()
  const server = await createSignalingServer({
    port: flags.port,
    host: flags.host,
    siteDir: existsSync(flags.site) ? flags.site : undefined,
    tls: flags.isHttps ? await certificateFor(flags) : undefined,
    iceServers: flags.iceServers,
    log,
  })
  const { port, urls } = server
  if (flags.isJson) console.log(JSON.stringify({ event: 'listening', port, ...urls }))
  else console.log(banner({ urls, port, isOtherPort: flags.port === undefined && port !== 8080 }))
  const signal = await stopped
  if (!flags.isJson) console.log(signal === 'SIGINT' ? '\n  Stopping.' : '  Stopping.')
  await server.close()
  return 0
}

/** The first SIGINT or SIGTERM. A second one ends the process at once, as a person in a hurry expects. */
function nextSignal(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    const onSignal = (signal: NodeJS.Signals): void => {
      process.off('SIGINT', onSignal)
      process.off('SIGTERM', onSignal)
      resolve(signal)
    }
    process.on('SIGINT', onSignal)
    process.on('SIGTERM', onSignal)
  })
}

async function certificateFor(flags: CommandLine): Promise<Certificate> {
  if (flags.cert !== undefined && flags.key !== undefined) {
    return ownCertificate(readFileSync(flags.cert, 'utf8'), readFileSync(flags.key, 'utf8'))
  }
  const { primary, others } = await findAddresses()
  const addresses = [primary, ...others].flatMap((entry) => (entry ? [entry.address] : []))
  return await selfSignedCertificate(['localhost', '127.0.0.1', ...addresses])
}

try {
  process.exitCode = await main(process.argv.slice(2))
} catch (error) {
  console.error(toError(error).message)
  process.exitCode = 1
}
