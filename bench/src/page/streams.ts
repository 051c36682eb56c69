import { get, remote } from '@shoal/sdk'

const count = remote(function* (n: number) {
  for (let i = 0; i < n; i++) yield i
})

/** Small items a second, of one generator, taken and fetched one after the other. */
export async function streamItemsPerSecond(items: number): Promise<number> {
  const start = performance.now()
  let next = 0
  for await (const ref of count.remote(items)) {
    if ((await get(ref)) !== next++) throw new Error('an item came out of its turn')
    ref.release()
  }
  if (next !== items) throw new Error(`${next} items instead of ${items}`)
  return items / ((performance.now() - start) / 1000)
}
