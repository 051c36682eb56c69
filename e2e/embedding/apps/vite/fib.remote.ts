import { get, remote } from '@shoal/sdk'

export const fib = remote(async (n: number): Promise<number> => {
  if (n < 2) return n
  const [a, b] = await get([fib.remote(n - 1), fib.remote(n - 2)])
  return (a ?? 0) + (b ?? 0)
})
