import { createRoom, get, init, remote } from '@shoal/sdk'
import { fib } from './fib.remote.ts'

const add = remote((a, b) => a + b)

window.app = {
  async run(server) {
    const room = await createRoom({ server })
    const values = await get([add.remote(1, add.remote(2, 3)), fib.remote(10)])
    return { values, link: room.helperLink }
  },
  async join(link) {
    const session = await init({ room: link })
    return new Promise((resolve) => {
      const look = ({ members }) => {
        if (members.filter(({ state }) => state === 'connected').length === 2) resolve('connected')
      }
      session.onStatus(look)
      look(session.status())
    })
  },
}
