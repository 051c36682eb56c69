import { createRoom, get, init, remote } from '/shoal/shoal.js'
import { fib } from '/fib.remote.js'

window.violations = []
addEventListener('securitypolicyviolation', ({ effectiveDirective, blockedURI, disposition }) =>
  window.violations.push(`${effectiveDirective} ${blockedURI} ${disposition}`),
)

const add = remote((a, b) => a + b)

window.app = {
  async run(server) {
    await init({ sandboxUrl: '/shoal/sandbox.html', createWorker: () => new Worker('/shoal/node-worker.js') })
    const room = await createRoom({ server })
    const values = await get([add.remote(1, add.remote(2, 3)), fib.remote(10)])
    return { values, link: room.helperLink }
  },
  async runWithBlobs(server, worker) {
    await createRoom({ server, ...(worker && { createWorker: () => new Worker(worker) }) })
    return get([add.remote(1, add.remote(2, 3)), fib.remote(10)])
  },
}
