import { CONTROL_MESSAGE } from './frame-control.ts'
import type { FromPage, ToPage } from './frame-control.ts'

export interface SandboxFrameOptions {
  /**
   * Where the `sandbox.html` that Shoal ships is served, for pages whose Content-Security-Policy refuses the inline frame.
   * A cross-origin isolated page must serve it with COEP `require-corp` and CORP.
   */
  readonly sandboxUrl?: string | URL
  /** Where the hidden frame hangs; the document's root by default, which exists before the body does. */
  readonly parent?: Element
  /** The frame's document could not be loaded. */
  onFailed?(reason: unknown): void
}

export interface SandboxFrame {
  /**
   * The node worker's end: transfer it there, once, and give it to `createFrameWorkerHost`. It brings the control port of
   * each frame that is made; calls then go straight to the frame, and this page's main thread is not in their path.
   */
  readonly controlPort: MessagePort
  /** Removes the frame, which ends its workers in the middle of whatever they do. Idempotent. */
  close(): void
}

/**
 * Makes the frame in which user code may run: an opaque origin, no network, no storage; and makes it again when the node
 * worker finds it dead, as it is after a task took all memory (docs/decisions/005). Returns at once; a frame that never
 * comes up shows where workers are started, since only the node worker can tell the difference.
 */
export function createSandboxFrame(options: SandboxFrameOptions = {}): SandboxFrame {
  const { port1: nodePort, port2: port } = new MessageChannel()
  const parent = options.parent ?? document.documentElement
  let isClosed = false
  const tell = (message: FromPage, transfer: Transferable[]): void => port.postMessage(message, transfer)
  let frame = make()
  port.addEventListener('message', onMessage)
  port.start()

  function make(): HTMLIFrameElement {
    const { port1: toNode, port2: toFrame } = new MessageChannel()
    const made = createFrameElement()
    // An opaque origin has no name to address; the frame runs nothing but our document, which goes nowhere by itself.
    const onLoad = (): void => made.contentWindow?.postMessage(CONTROL_MESSAGE, '*', [toFrame])
    made.addEventListener('load', onLoad, { once: true })
    tell('frame', [toNode])
    const show = (): void => {
      if (made === frame && !isClosed) parent.append(made)
    }
    if (options.sandboxUrl === undefined) {
      // Not a part of the page's own script: only tabs that work need it.
      import('./sandbox-document.ts').then(
        ({ sandboxDocument }) => {
          made.srcdoc = sandboxDocument()
          show()
        },
        (reason: unknown) => options.onFailed?.(reason),
      )
    } else {
      made.src = String(options.sandboxUrl)
      parent.append(made)
    }
    return made
  }

  function onMessage(event: MessageEvent<ToPage>): void {
    if (event.data === 'close') close()
    else {
      frame.remove()
      frame = make()
    }
  }

  function close(): void {
    isClosed = true
    frame.remove()
    port.removeEventListener('message', onMessage)
    tell('gone', [])
    port.close()
  }

  return { controlPort: nodePort, close }
}

function createFrameElement(): HTMLIFrameElement {
  const frame = document.createElement('iframe')
  frame.hidden = true
  frame.tabIndex = -1
  frame.title = 'Shoal sandbox'
  frame.setAttribute('aria-hidden', 'true')
  frame.setAttribute('sandbox', 'allow-scripts')
  // Empty otherwise: what the page was allowed to do is not handed down.
  frame.setAttribute('allow', globalThis.crossOriginIsolated ? 'cross-origin-isolated' : '')
  frame.referrerPolicy = 'no-referrer'
  return frame
}
