// Platform APIs that Node has too are made to shout, the others it lacks; then the page's module is imported and rendered.
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
const TIMERS = ['setTimeout', 'setInterval', 'setImmediate']
const before = new Map()
for (const name of [...SHY, ...TIMERS]) {
  const descriptor = Object.getOwnPropertyDescriptor(globalThis, name)
  before.set(name, descriptor)
  Object.defineProperty(globalThis, name, {
    configurable: true,
    get() {
      const stack = new Error().stack.split('\n').slice(2)
      // Node's own machinery may, the SDK may not.
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
