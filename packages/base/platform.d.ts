// The few platform names that every JavaScript runtime of ours has (browser page, worker, Node). Packages that need no
// DOM compile against these and ECMAScript alone, so that a timer, a socket or a window cannot creep in.
interface AbortSignal {
  readonly aborted: boolean
  readonly reason: unknown
  addEventListener(type: 'abort', listener: () => void, options?: { once?: boolean }): void
  removeEventListener(type: 'abort', listener: () => void): void
  throwIfAborted(): void
}
interface AbortController {
  readonly signal: AbortSignal
  abort(reason?: unknown): void
}
declare var AbortController: { new (): AbortController }
declare var AbortSignal: { abort(reason?: unknown): AbortSignal; any(signals: AbortSignal[]): AbortSignal }
interface TextEncoder {
  encode(text?: string): Uint8Array<ArrayBuffer>
}
declare var TextEncoder: { new (): TextEncoder }
interface TextDecoder {
  decode(bytes?: ArrayBufferView | ArrayBuffer): string
}
declare var TextDecoder: { new (label?: string, options?: { fatal?: boolean; ignoreBOM?: boolean }): TextDecoder }
declare function queueMicrotask(callback: () => void): void
interface WeakRefConstructor {
  new <T extends object>(value: T): WeakRef<T>
}
declare function structuredClone<T>(value: T, options?: { transfer?: ArrayBuffer[] }): T
