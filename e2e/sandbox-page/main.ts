import { transfer, wrap } from 'comlink'
import type { Remote } from 'comlink'
import { createSandboxFrame, SANDBOX_POLICY } from '@shoal/executor/web'
import type { SandboxFrame } from '@shoal/executor/web'
import type { NodeWorkerCommands } from './node-worker.ts'

/** What the tests call in the page. */
export interface SandboxTestPage {
  readonly node: Remote<NodeWorkerCommands>
  /** Makes the sandbox frame and joins it with the node worker. */
  open(options?: { sandboxUrl?: string; answerWithinMs?: number }): Promise<SandboxFrame>
  /** Evaluates each source in a bare blob worker under the sandbox's policy: the first wall without the second. */
  probeBare(sources: readonly string[], argument: unknown): Promise<string[]>
  /** What reached the page from outside of its own port: must stay empty. */
  readonly strays: string[]
}

declare global {
  interface Window {
    sandboxTest: SandboxTestPage
  }
}

const strays: string[] = []
addEventListener('message', (event) => strays.push(`message: ${JSON.stringify(event.data)}`))
const channel = new BroadcastChannel('canary')
channel.addEventListener('message', (event) => strays.push(`broadcast: ${JSON.stringify(event.data)}`))

const node = wrap<NodeWorkerCommands>(new Worker(new URL('./node-worker.ts', import.meta.url), { type: 'module' }))

window.sandboxTest = {
  node,
  strays,
  async open({ sandboxUrl, answerWithinMs = 10_000 } = {}) {
    const frame = createSandboxFrame(sandboxUrl === undefined ? {} : { sandboxUrl })
    await node.open(transfer(frame.controlPort, [frame.controlPort]), answerWithinMs)
    return frame
  },
  probeBare,
}

const bareWorker = `onmessage = async ({ data: { sources, argument }, ports: [port] }) => {
  const results = []
  for (const source of sources)
    try { results.push(String(await (0, eval)('(' + source + ')')(argument))) } catch (error) { results.push('shut: ' + error) }
  port.postMessage(results)
}`

const bareBoot = `onmessage = ({ data, ports: [port] }) => {
  const worker = new Worker(URL.createObjectURL(new Blob([${JSON.stringify(bareWorker)}])))
  worker.onerror = (event) => port.postMessage(['error: ' + event.message])
  worker.postMessage(data, [port])
}`

function probeBare(sources: readonly string[], argument: unknown): Promise<string[]> {
  const frame = document.createElement('iframe')
  frame.setAttribute('sandbox', 'allow-scripts')
  frame.srcdoc = `<meta http-equiv="Content-Security-Policy" content="${SANDBOX_POLICY}"><script>${bareBoot}</script>`
  document.body.append(frame)
  const { port1, port2 } = new MessageChannel()
  return new Promise((resolve) => {
    port1.onmessage = (event: MessageEvent<string[]>) => {
      frame.remove()
      resolve(event.data)
    }
    frame.onload = () => frame.contentWindow?.postMessage({ sources, argument }, '*', [port2])
  })
}
