import { CONTROL_MESSAGE } from './frame-control.ts'
import { sandboxDocument } from './sandbox-document.ts'

export interface SandboxFrameOptions {
  /**
   * Where the `sandbox.html` that Shoal ships is served, for pages whose Content-Security-Policy refuses the inline frame.
   * A cross-origin isolated page must serve it with COEP `require-corp` and CORP.
   */
  readonly sandboxUrl?: string | URL
  /** Where the hidden frame hangs; the document's root by default, which exists before the body does. */
  readonly parent?: Element
}

export interface SandboxFrame {
  /**
   * The node worker's end of the control channel: transfer it there, once, and give it to `createFrameWorkerHost`. Calls
   * then go straight to the frame; this page's main thread is not in their path.
   */
  readonly controlPort: MessagePort
  /** Removes the frame, which ends its workers in the middle of whatever they do. Idempotent. */
  close(): void
}

/**
 * Makes the frame in which user code may run: an opaque origin, no network, no storage. Returns at once; a frame that
 * never comes up shows where workers are started, since only the node worker can tell the difference.
 */
export function createSandboxFrame(options: SandboxFrameOptions = {}): SandboxFrame {
  const { port1, port2 } = new MessageChannel()
  const frame = document.createElement('iframe')
  frame.hidden = true
  frame.tabIndex = -1
  frame.title = 'Shoal sandbox'
  frame.setAttribute('aria-hidden', 'true')
  frame.setAttribute('sandbox', 'allow-scripts')
  // Empty otherwise: what the page was allowed to do is not handed down.
  frame.setAttribute('allow', globalThis.crossOriginIsolated ? 'cross-origin-isolated' : '')
  frame.referrerPolicy = 'no-referrer'
  // An opaque origin has no name to address. The frame runs nothing but our document, which cannot navigate away by itself.
  const onLoad = (): void => frame.contentWindow?.postMessage(CONTROL_MESSAGE, '*', [port2])
  frame.addEventListener('load', onLoad, { once: true })
  if (options.sandboxUrl === undefined) frame.srcdoc = sandboxDocument()
  else frame.src = String(options.sandboxUrl)
  const parent = options.parent ?? document.documentElement
  parent.append(frame)
  return {
    controlPort: port1,
    close() {
      frame.removeEventListener('load', onLoad)
      frame.remove()
      port2.close()
    },
  }
}
