// Every platform API that the SDK uses in a page is made to shout; then the page's module is imported and rendered.
const touched = []
const SHY = [
  'fetch',
  'crypto',
  'navigator',
  'performance',
  'WebSocket',
  'Worker',
  'MessageChannel',
  'MessagePort',
  'BroadcastChannel',
]
const ABSENT = ['window', 'document', 'location', 'self', 'indexedDB', 'RTCPeerConnection', 'requestAnimationFrame']
const TIMERS = ['setTimeout', 'setInterval', 'setImmediate']
const before = new Map()
for (const name of [...SHY, ...ABSENT, ...TIMERS]) {
  const descriptor = Object.getOwnPropertyDescriptor(globalThis, name)
  before.set(name, descriptor)
  Object.defineProperty(globalThis, name, {
    configurable: true,
    get() {
      const stack = new Error().stack.split('\n').slice(2)
      // Node's own machinery may; the SDK may not. `typeof` looks too, and asks for what a server does not have.
      if (stack.some((line) => line.includes('@shoal'))) touched.push(`${name}\n${stack.join('\n')}`)
      return descriptor?.get ? descriptor.get.call(globalThis) : descriptor?.value
    },
  })
}
const { add, Counter, Page } = await import('./page.js')
for (const [name, descriptor] of before) {
  delete globalThis[name]
  if (descriptor) Object.defineProperty(globalThis, name, descriptor)
}
const { createElement } = await import('react')
const { renderToString } = await import('react-dom/server')
console.log(
  JSON.stringify({
    touched,
    html: renderToString(createElement(Page)),
    kinds: [typeof add.remote, typeof Counter.remote],
  }),
)
