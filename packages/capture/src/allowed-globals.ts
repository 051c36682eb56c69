/**
 * The free names a shipped function may use: a fixed list of ECMAScript and compute globals. It is never derived from
 * `globalThis`, because `name`, `status`, `event` and `close` exist in every worker and would pass silently while the
 * user meant a variable of his own. For the same reason `Event`, `File` and `escape` are left out: people write and
 * import things of these names, and a text cannot show which one was meant. Everything that talks (`fetch`, sockets, storage) is shut in the sandbox and not here.
 */
export const ALLOWED_GLOBALS: ReadonlySet<string> = new Set(
  `
  undefined NaN Infinity globalThis
  Object Function Boolean Symbol Number BigInt Math Date String RegExp JSON Reflect Proxy Atomics Iterator Temporal
  Array ArrayBuffer SharedArrayBuffer DataView Map Set WeakMap WeakSet WeakRef FinalizationRegistry Promise
  Int8Array Uint8Array Uint8ClampedArray Int16Array Uint16Array Int32Array Uint32Array BigInt64Array BigUint64Array
  Float16Array Float32Array Float64Array
  Error AggregateError EvalError RangeError ReferenceError SuppressedError SyntaxError TypeError URIError DOMException
  DisposableStack AsyncDisposableStack
  isFinite isNaN parseFloat parseInt encodeURI encodeURIComponent decodeURI decodeURIComponent
  Intl WebAssembly console crypto performance structuredClone queueMicrotask
  setTimeout clearTimeout setInterval clearInterval
  TextEncoder TextDecoder TextEncoderStream TextDecoderStream CompressionStream DecompressionStream
  ReadableStream WritableStream TransformStream ByteLengthQueuingStrategy CountQueuingStrategy
  AbortController AbortSignal EventTarget MessageChannel
  URL URLSearchParams URLPattern atob btoa Blob
  OffscreenCanvas ImageData ImageBitmap createImageBitmap Path2D
  DOMMatrix DOMMatrixReadOnly DOMPoint DOMPointReadOnly DOMQuad DOMRect DOMRectReadOnly
`
    .trim()
    .split(/\s+/),
)

/** Names of the platform that are no captures but do not exist, or are shut, where tasks run. */
const PLATFORM_NAMES: ReadonlySet<string> = new Set(
  `
  self window document navigator location localStorage sessionStorage indexedDB caches history screen alert
  fetch Request Response Headers XMLHttpRequest WebSocket WebTransport EventSource RTCPeerConnection BroadcastChannel
  Worker SharedWorker importScripts postMessage requestAnimationFrame cancelAnimationFrame
  process require module exports Buffer global __dirname __filename setImmediate
`
    .trim()
    .split(/\s+/),
)

/** Whether the name means the page, the network or Node, none of which a task has. */
export function isPlatformName(name: string): boolean {
  return PLATFORM_NAMES.has(name)
}
