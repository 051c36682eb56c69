/**
 * Names taken away from user code in a sandbox worker. The frame's CSP and opaque origin already shut what they lead to;
 * this is the second wall, and a missing name says more than a request that fails.
 */
const REMOVED_GLOBALS = [
  // Other realms, where these names would be back, and the way to our own frame.
  'Worker',
  'SharedWorker',
  'importScripts',
  'postMessage',
  'close',
  'onmessage',
  'onmessageerror',
  // The network.
  'fetch',
  'fetchLater',
  'XMLHttpRequest',
  'WebSocket',
  'WebSocketStream',
  'EventSource',
  'WebTransport',
  'RTCPeerConnection',
  'RTCDataChannel',
  'onrtctransform',
  'FontFace',
  'fonts',
  // Other tabs, and what outlives the worker.
  'BroadcastChannel',
  'indexedDB',
  'caches',
  'cookieStore',
  'webkitRequestFileSystem',
  'webkitRequestFileSystemSync',
  'webkitResolveLocalFileSystemURL',
  'webkitResolveLocalFileSystemSyncURL',
  'Notification',
] as const

const REMOVED_FROM_NAVIGATOR = [
  'locks',
  'storage',
  'storageBuckets',
  'serviceWorker',
  'permissions',
  'sendBeacon',
  'geolocation',
  'connection',
  'usb',
  'serial',
  'hid',
  'bluetooth',
  'mediaDevices',
  'setAppBadge',
  'clearAppBadge',
] as const

/** Removes the names for good. Whoever needs one takes it before. */
export function removeGlobals(scope: typeof globalThis): void {
  for (const name of REMOVED_GLOBALS) removeEverywhere(scope, name)
  for (const name of REMOVED_FROM_NAVIGATOR) removeEverywhere(scope.navigator, name)
}

/** A name may be the object's own or an interface's: WorkerGlobalScope has `fetch`, the global itself `postMessage`. */
function removeEverywhere(object: object, name: string): void {
  for (let holder: object | null = object; holder !== null; holder = Object.getPrototypeOf(holder) as object | null) {
    if (!Object.hasOwn(holder, name)) continue
    if (!Reflect.deleteProperty(holder, name))
      Object.defineProperty(holder, name, { value: undefined, writable: false })
  }
}
