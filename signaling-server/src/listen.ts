import type { AddressInfo, Server } from 'node:net'

/** How many ports past the first are tried before giving up. */
const ATTEMPTS = 50

/**
 * Listens on `port`, or, unless it is fixed, on the next free one after it. Gives back the port in use.
 * Rejects when a fixed port is taken, with a message for a person.
 */
export async function listen(
  server: Server,
  options: { readonly port: number; readonly isFixed: boolean; readonly host: string | undefined },
): Promise<number> {
  const { port, isFixed, host } = options
  for (let offset = 0; offset < ATTEMPTS; offset++) {
    const error = await tryListen(server, port + offset, host)
    if (error === undefined) return (server.address() as AddressInfo).port
    const isTaken = error.code === 'EADDRINUSE' || error.code === 'EACCES'
    if (!isTaken) throw error
    if (isFixed)
      throw new Error(`port ${port} is ${error.code === 'EACCES' ? 'not allowed' : 'taken'}`, { cause: error })
  }
  throw new Error(`the ports ${port} to ${port + ATTEMPTS - 1} are all taken`)
}

function tryListen(server: Server, port: number, host: string | undefined): Promise<NodeJS.ErrnoException | undefined> {
  return new Promise((resolve) => {
    const onError = (error: NodeJS.ErrnoException): void => {
      server.off('listening', onListening)
      resolve(error)
    }
    const onListening = (): void => {
      server.off('error', onError)
      resolve(undefined)
    }
    server.once('error', onError)
    server.once('listening', onListening)
    server.listen({ port, ...(host === undefined ? {} : { host }) })
  })
}
