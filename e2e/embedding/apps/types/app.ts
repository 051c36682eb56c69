import { actor, createRoom, get, init, remote, type ObjectRef, type Session } from '@shoal/sdk'

const add = remote((a: number, b: number) => a + b)
const sum: ObjectRef<number> = add.remote(1, add.remote(2, 3))
const value: number = await get(sum)
// @ts-expect-error: a number is wanted
add.remote('1', 2)

const Counter = actor(
  class {
    n = 0
    add(k: number): number {
      return (this.n += k)
    }
  },
)
const total: number = await get(Counter.remote().add.remote(value))

const session: Session = await init({ sandboxUrl: '/sandbox.html', createWorker: () => new Worker('/node-worker.js') })
const { helperLink } = await createRoom({ server: 'https://rooms.example' })
export { helperLink, session, total }
