import { median } from './statistics.ts'

// The limit beside local tasks: the same three threads (page, node worker, worker) passing messages and nothing else.
const RELAY = `onmessage = ({ data, ports }) => {
  const [up, down] = ports
  up.onmessage = (event) => down.postMessage(event.data)
  down.onmessage = (event) => up.postMessage(event.data)
}`
const ECHO = `onmessage = ({ ports }) => {
  const [port] = ports
  port.onmessage = (event) => port.postMessage(event.data)
}`

interface Chain {
  readonly port: MessagePort
  close(): void
}

function openChain(): Chain {
  const make = (text: string): Worker => new Worker(URL.createObjectURL(new Blob([text], { type: 'text/javascript' })))
  const relay = make(RELAY)
  const echo = make(ECHO)
  const upper = new MessageChannel()
  const lower = new MessageChannel()
  relay.postMessage(0, [upper.port2, lower.port1])
  echo.postMessage(0, [lower.port2])
  return {
    port: upper.port1,
    close() {
      relay.terminate()
      echo.terminate()
      upper.port1.close()
    },
  }
}

function next(port: MessagePort): Promise<unknown> {
  return new Promise((resolve) => (port.onmessage = (event) => resolve(event.data)))
}

/** Median of the milliseconds for page -> worker -> worker -> back, with 64 bytes each way. */
export async function rawHopsMs(count: number): Promise<number> {
  const chain = openChain()
  const times: number[] = []
  for (let i = 0; i < count; i++) {
    const start = performance.now()
    const answer = next(chain.port)
    chain.port.postMessage(new Uint8Array(64))
    await answer
    times.push(performance.now() - start)
  }
  chain.close()
  return median(times)
}

/** Tasks a second when each message carries `batch` of them as 32 bytes, four batches under way. */
export async function rawHopBatchRate(batch: number, batches: number): Promise<number> {
  const chain = openChain()
  const bytes = new Uint8Array(32 * batch)
  chain.port.postMessage(bytes)
  await next(chain.port)
  const start = performance.now()
  await new Promise<void>((resolve) => {
    let sent = 4
    let received = 0
    chain.port.onmessage = () => {
      received++
      if (sent < batches) {
        chain.port.postMessage(bytes)
        sent++
      } else if (received === batches) resolve()
    }
    for (let i = 0; i < 4; i++) chain.port.postMessage(bytes)
  })
  const seconds = (performance.now() - start) / 1000
  chain.close()
  return (batch * batches) / seconds
}
