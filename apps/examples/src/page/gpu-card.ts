import { clusterResources } from '@shoal/sdk'
import { multiply } from '../gpu-product.ts'
import type { Tile } from '../gpu-product.ts'
import source from '../gpu-product.ts?raw'
import { createCard, make } from './card.ts'
import type { Card } from './card.ts'

const N = 1024
const SAMPLES = 200

export function gpuCard(): Card {
  return createCard({
    id: 'gpu',
    title: 'Matrix product on the GPU',
    about: `Multiplies two ${N} × ${N} matrices in 16 tiles, each a task on the GPU of some tab.`,
    source,
    action: 'Multiply',
    async run(card) {
      const { GPU = 0 } = await clusterResources()
      if (GPU === 0) {
        card.say('No tab here has a GPU that its browser lends to pages, so the tasks would wait.', '')
        card.show(...(await whatToDo()))
        return
      }
      const [a, b] = [0, 1].map(() => Float32Array.from({ length: N * N }, () => Math.random() - 0.5)) as [
        Matrix,
        Matrix,
      ]
      const product = new Float32Array(N * N)
      const gpus = new Map<string, number>()
      let done = 0
      card.show()
      card.say('0 of 16 tiles')
      const startedAt = performance.now()
      await multiply(a, b, N, (tile) => {
        place(tile, product)
        gpus.set(tile.gpu, (gpus.get(tile.gpu) ?? 0) + 1)
        card.say(`${++done} of 16 tiles`)
      })
      const seconds = (performance.now() - startedAt) / 1000
      card.say(`${((2 * N ** 3) / seconds / 1e9).toFixed(1)} GFLOP/s`, 'big')
      const off = worst(a, b, product)
      const where = [...gpus].map(
        ([gpu, tiles]) =>
          `${tiles} on ${gpu === 'software' ? 'the CPU, which stands in for a GPU here' : `a GPU by ${gpu || 'somebody'}`}`,
      )
      card.show(
        make('p', {
          textContent: `${seconds.toFixed(2)} s, with the way there and back. Tiles: ${where.join(', ')}.`,
        }),
        make('p', {
          textContent: `${SAMPLES} numbers were computed again on the CPU: off by ${off.toExponential(0)} at most.`,
        }),
      )
      if (!(off < 1e-3)) throw new Error(`The product is wrong: off by ${off}.`)
    },
  })
}

type Matrix = Float32Array

function place({ x, y, side, c }: Tile, product: Matrix): void {
  for (let row = 0; row < side; row++) product.set(c.subarray(row * side, (row + 1) * side), (y + row) * N + x)
}

/** The largest difference at places drawn at random. */
function worst(a: Matrix, b: Matrix, product: Matrix): number {
  let most = 0
  for (let i = 0; i < SAMPLES; i++) {
    const [x, y] = [Math.floor(Math.random() * N), Math.floor(Math.random() * N)]
    let sum = 0
    for (let k = 0; k < N; k++) sum += (a[y * N + k] ?? 0) * (b[k * N + x] ?? 0)
    most = Math.max(most, Math.abs(sum - (product[y * N + x] ?? Infinity)))
  }
  return most
}

/** A page that is no secure context, a browser without WebGPU, or one that has the CPU stand in. */
async function whatToDo(): Promise<HTMLElement[]> {
  if (!isSecureContext) return [make('p', { textContent: 'WebGPU needs https, or localhost.' })]
  // The DOM's types have it everywhere; browsers do not.
  const adapter = await (navigator as { readonly gpu?: GPU }).gpu?.requestAdapter()
  if (!adapter)
    return [
      make('p', { textContent: 'Open this page in a browser with WebGPU, on a machine with a GPU, and lend it.' }),
    ]
  const text = make('p', { textContent: 'This browser can have the CPU stand in for one, which is slower: ' })
  text.append(make('a', { href: '?gpu=software', textContent: 'start again with that' }), '.')
  return [text]
}
