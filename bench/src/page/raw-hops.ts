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

// A task's worker lives in a sandboxed frame, which Chromium may keep in a process of its own: that is part of the path.
const FRAME = `<script>onmessage = ({ data, ports }) => {
  const worker = new Worker(URL.createObjectURL(new Blob([data], { type: 'text/javascript' })))
  worker.postMessage(0, [...ports])
}</script>`

interface Chain {
  readonly port: MessagePort
  close(): void
}

async function openChain(isSandboxed: boolean): Promise<Chain> {
  const make = (text: string): Worker => new Worker(URL.createObjectURL(new Blob([text], { type: 'text/javascript' })))
  const relay = make(RELAY)
  const upper = new MessageChannel()
  const lower = new MessageChannel()
  relay.postMessage(0, [upper.port2, lower.port1])
  const echo = isSandboxed ? await openFrame(lower.port2) : make(ECHO)
  if (echo instanceof Worker) echo.postMessage(0, [lower.port2])
  return {
    port: upper.port1,
    close() {
      relay.terminate()
      if (echo instanceof Worker) echo.terminate()
      else echo.remove()
      upper.port1.close()
    },
  }
}

async function openFrame(port: MessagePort): Promise<HTMLIFrameElement> {
  const frame = document.createElement('iframe')
  frame.sandbox.add('allow-scripts')
  frame.hidden = true
  frame.srcdoc = FRAME
  const loaded = new Promise((resolve) => frame.addEventListener('load', resolve, { once: true }))
  document.body.append(frame)
  await loaded
  frame.contentWindow?.postMessage(ECHO, '*', [port])
  return frame
}

function next(port: MessagePort): Promise<unknown> {
  return new Promise((resolve) => (port.onmessage = (event) => resolve(event.data)))
}

/**
 * Median of the milliseconds for page -> worker -> worker -> back, with 64 bytes each way; the second worker in a
 * sandboxed frame or in the page itself.
 */
export async function rawHopsMs(count: number, isSandboxed: boolean): Promise<number> {
  const hops = await openRawHops(isSandboxed)
  const times = await hops.times(count)
  hops.close()
  return median(times)
}

/** The same path, kept open. */
export interface RawHops {
  /** The milliseconds of `count` round trips, one after the other. */
  times(count: number): Promise<number[]>
  close(): void
}

export async function openRawHops(isSandboxed: boolean): Promise<RawHops> {
  const chain = await openChain(isSandboxed)
  return {
    async times(count) {
      const times: number[] = []
      for (let i = 0; i < count; i++) {
        const start = performance.now()
        const answer = next(chain.port)
        chain.port.postMessage(new Uint8Array(64))
        await answer
        times.push(performance.now() - start)
      }
      return times
    },
    close: () => chain.close(),
  }
}

/** Tasks a second when each message carries `batch` of them as 32 bytes, four batches under way. */
export async function rawHopBatchRate(batch: number, batches: number): Promise<number> {
  const chain = await openChain(true)
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
