/** Where a probe tries to get to, and what would see it arrive. */
export interface CanaryAddresses {
  /** Origin of the canary's HTTP server. */
  readonly http: string
  readonly ws: string
  /** host:port of a UDP socket, for WebRTC and QUIC. */
  readonly udp: string
  /** Origin of the test page, for what only works on one's own. */
  readonly page: string
}

export interface Probe {
  readonly name: string
  /** An async function of a CanaryAddresses. Answers `open...` when it got out; what is shut throws. */
  readonly source: string
  /** In an ordinary worker of a page on a secure origin it gets out, so the probe can tell open from shut. */
  readonly opensElsewhere: boolean
}

const probe = (name: string, body: string, opensElsewhere = true): Probe => ({
  name,
  source: `async (canary) => {${body}}`,
  opensElsewhere,
})

const nested = (make: string): string => `
  const text = "onmessage = async (event) => { try { await fetch(event.data, { mode: 'no-cors' }); postMessage('open') } catch (error) { postMessage('shut ' + error) } }"
  const url = URL.createObjectURL(new Blob([text], { type: 'text/javascript' }))
  ${make}`

/** One each for a way out of the sandbox: network, storage, other tabs, the frame, the node's port, hidden objects. */
export const PROBES: readonly Probe[] = [
  probe('fetch', `await fetch(canary.http + '/fetch', { mode: 'no-cors' }); return 'open'`),
  probe('fetch of the own page', `await fetch(canary.page + '/canary-fetch'); return 'open'`),
  probe(
    'XMLHttpRequest',
    `const request = new XMLHttpRequest(); request.open('GET', canary.http + '/xhr', false); request.send(); return 'open'`,
  ),
  probe(
    'WebSocket',
    `return await new Promise((resolve, reject) => { const socket = new WebSocket(canary.ws + '/ws'); socket.onopen = () => resolve('open'); socket.onerror = () => reject(new Error('refused')) })`,
  ),
  probe(
    'EventSource',
    `return await new Promise((resolve, reject) => { const source = new EventSource(canary.http + '/events'); source.onopen = () => { source.close(); resolve('open') }; source.onerror = () => { source.close(); reject(new Error('refused')) } })`,
  ),
  probe(
    'WebTransport',
    `const transport = new WebTransport('https://' + canary.udp + '/webtransport'); transport.closed.catch(() => undefined); await Promise.race([transport.ready, new Promise((_, reject) => setTimeout(reject, 1000, new Error('no answer')))]); return 'open'`,
  ),
  probe('import of a URL', `await import(canary.http + '/import.js'); return 'open'`),
  probe('import of a data: URL', `return (await import('data:text/javascript,export default "open"')).default`),
  probe('importScripts', `importScripts(canary.http + '/import-scripts.js'); return 'open'`),
  probe(
    'a worker from a URL',
    `return await new Promise((resolve, reject) => { const worker = new Worker(canary.page + '/canary-worker.js'); worker.onmessage = (event) => resolve(event.data); worker.onerror = () => reject(new Error('refused')) })`,
  ),
  probe(
    'fetch in a nested blob worker',
    nested(`const worker = new Worker(url)
      const answer = await new Promise((resolve, reject) => { worker.onmessage = (event) => resolve(event.data); worker.onerror = () => reject(new Error('refused')); worker.postMessage(canary.http + '/nested') })
      worker.terminate(); return answer`),
  ),
  probe(
    'a shared worker',
    nested(`new SharedWorker(url, 'canary'); await new Promise((resolve) => setTimeout(resolve, 100)); return 'open'`),
    false,
  ),
  probe(
    'streaming WebAssembly',
    `await WebAssembly.compileStreaming(fetch(canary.http + '/module.wasm')); return 'open'`,
  ),
  probe('FontFace', `await new FontFace('canary', 'url(' + canary.http + '/font.woff2)').load(); return 'open'`),
  probe(
    'Image',
    `const image = new Image(); image.src = canary.http + '/image.png'; await image.decode(); return 'open'`,
    false,
  ),
  probe('sendBeacon', `return navigator.sendBeacon(canary.http + '/beacon', 'x') ? 'open' : 'shut'`, false),
  probe(
    'RTCPeerConnection',
    `const peer = new RTCPeerConnection({ iceServers: [{ urls: 'stun:' + canary.udp }] }); peer.createDataChannel('x'); await peer.setLocalDescription(); return 'open'`,
    false,
  ),
  probe(
    'IndexedDB',
    `return await new Promise((resolve, reject) => { const request = indexedDB.open('canary'); request.onsuccess = () => { request.result.close(); resolve('open') }; request.onerror = () => reject(request.error) })`,
  ),
  probe('Cache', `await caches.open('canary'); return 'open'`),
  probe('origin-private files', `await navigator.storage.getDirectory(); return 'open'`),
  probe('storage buckets', `await navigator.storageBuckets.open('canary'); return 'open'`),
  probe('locks', `return await navigator.locks.request('canary', () => 'open')`),
  probe('localStorage', `localStorage.setItem('canary', 'x'); return 'open'`, false),
  probe('sessionStorage', `sessionStorage.setItem('canary', 'x'); return 'open'`, false),
  probe('a cookie', `document.cookie = 'canary=x'; return 'open'`, false),
  probe('cookieStore', `await cookieStore.set('canary', 'x'); return 'open'`, false),
  probe('document', `return 'open ' + document.title`, false),
  probe(
    'the page by parent or top',
    `(globalThis.parent ?? globalThis.top).postMessage('canary', '*'); return 'open'`,
    false,
  ),
  probe(
    'BroadcastChannel',
    `new BroadcastChannel('canary').postMessage('canary'); await new Promise((resolve) => setTimeout(resolve, 50)); return 'sent'`,
  ),
  probe('a service worker', `await navigator.serviceWorker.register('/canary-worker.js'); return 'open'`, false),
  probe(
    'notifications',
    `const note = new Notification('canary'); return await new Promise((resolve, reject) => { note.onshow = () => resolve('open'); note.onerror = () => reject(new Error('refused')) })`,
    false,
  ),
  probe(
    'the position',
    `return await new Promise((resolve, reject) => navigator.geolocation.getCurrentPosition(() => resolve('open'), reject))`,
    false,
  ),
  probe('the old file system', `webkitRequestFileSystemSync(0, 1); return 'open'`, false),
  probe(
    'navigation',
    `location.href = canary.http + '/navigate'; await new Promise((resolve) => setTimeout(resolve, 100)); return location.href.startsWith(canary.http) ? 'open' : 'shut'`,
    false,
  ),
]

/** Ways to our own objects inside the worker: what they find is told as `open...`. They leave the realm spoilt. */
export const INSIDE_PROBES: readonly Probe[] = [
  probe(
    'a name removed from the global is back through a new function',
    `const scopes = [Function('return this')(), (async () => {}).constructor('return globalThis')(), (0, eval)('this'), globalThis]
     const names = ['Worker', 'SharedWorker', 'importScripts', 'BroadcastChannel', 'indexedDB', 'caches', 'fetch', 'XMLHttpRequest', 'WebSocket', 'postMessage', 'close']
     for (const scope of await Promise.all(scopes))
       for (const name of names)
         for (let holder = scope; holder; holder = Object.getPrototypeOf(holder))
           if (Object.getOwnPropertyDescriptor(holder, name)?.value ?? Object.getOwnPropertyDescriptor(holder, name)?.get) return 'open ' + name
     return 'shut'`,
  ),
  probe(
    'a port or runner on the global',
    `const seen = []
     for (let holder = globalThis; holder; holder = Object.getPrototypeOf(holder))
       for (const key of Reflect.ownKeys(holder)) {
         let value
         try { value = globalThis[key] } catch { continue }
         if (value instanceof MessagePort || (typeof value === 'object' && value !== null && ('core' in value || 'frame' in value))) seen.push(String(key))
       }
     return seen.length > 0 ? 'open ' + seen : 'shut'`,
  ),
  probe(
    'a function of ours on the stack',
    `const found = []
     const before = Error.prepareStackTrace
     Error.prepareStackTrace = (_, sites) => { for (const site of sites) { const fn = site.getFunction(); if (fn) found.push(String(fn).slice(0, 40)); const self = site.getThis(); if (self !== undefined && self !== globalThis) found.push('this') } return '' }
     void new Error().stack
     Error.prepareStackTrace = before
     const caller = Function('return (function caller() { return caller.caller && caller.caller.caller })()')()
     if (caller) found.push('caller')
     return found.length > 0 ? 'open ' + found.join() : 'shut'`,
  ),
  probe(
    'the port through replaced prototypes, set',
    `const caught = (globalThis.caught = [])
     const look = (value) => { if (value instanceof MessagePort || value?.target instanceof MessagePort) caught.push(Object.prototype.toString.call(value)) }
     const hook = (holder, name) => {
       const native = holder[name]
       holder[name] = function (...args) { look(this); args.forEach(look); return new.target ? Reflect.construct(native, args) : nativeApply(native, this, args) }
     }
     const nativeApply = Reflect.apply
     for (const name of ['postMessage', 'close', 'start']) hook(MessagePort.prototype, name)
     for (const name of ['addEventListener', 'removeEventListener', 'dispatchEvent']) hook(EventTarget.prototype, name)
     for (const name of ['bind', 'call', 'apply']) hook(Function.prototype, name)
     hook(Reflect, 'apply')
     hook(Array, 'isArray')
     for (const name of ['push', 'shift', 'slice']) hook(Array.prototype, name)
     for (const name of ['get', 'set', 'has']) hook(Map.prototype, name)
     for (const name of ['data', 'ports', 'source']) {
       const native = Object.getOwnPropertyDescriptor(MessageEvent.prototype, name).get
       Object.defineProperty(MessageEvent.prototype, name, { configurable: true, get() { look(this); return nativeApply(native, this, []) } })
     }
     for (const name of ['target', 'currentTarget', 'srcElement']) {
       const native = Object.getOwnPropertyDescriptor(Event.prototype, name).get
       Object.defineProperty(Event.prototype, name, { configurable: true, get() { look(this); return nativeApply(native, this, []) } })
     }
     return 'shut'`,
  ),
  probe(
    'the port through replaced prototypes, looked at',
    `console.log('makes a frame'); await new Promise((resolve) => setTimeout(resolve, 20)); return globalThis.caught.length > 0 ? 'open ' + globalThis.caught.join() : 'shut'`,
  ),
  probe('exit by close()', `self.close(); return 'open'`),
  probe('exit by the prototype of close()', `DedicatedWorkerGlobalScope.prototype.close.call(self); return 'open'`),
]
