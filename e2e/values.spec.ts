import { expect, test } from './support/room-test.ts'

test('[V6] [V7] [V8] [V9] [E2] instances, errors, files, images and moved buffers go to another tab and back', async ({
  openRoom,
}) => {
  // What asks for two CPUs can only run in the helper, which has two workers.
  const { tabs } = await openRoom({ tabs: [{}, { workers: 2 }] })
  const seen = await tabs[0].page.evaluate(async () => {
    const { sdk, values, geometry } = window.shoalTest
    const { Vector, OutOfRange } = geometry
    const there = { numCpus: 2 }
    const vectors = [new Vector(1, 2), new Vector(3, 4)]
    const { nodeId, sum } = await sdk.get(values.sum.options(there).remote(vectors))
    const error = await sdk.get(values.failsDeep.options(there).remote(10)).catch((thrown: unknown) => thrown)
    const root = ((error as Error).cause as Error).cause
    const file = new File(['hello '.repeat(10_000)], 'a.txt', { type: 'text/plain', lastModified: 1234 })
    const loud = await sdk.get(values.shout.options(there).remote(sdk.put(file)))
    const image = new ImageData(new Uint8ClampedArray([0, 10, 255, 255]), 1, 1)
    const inverted = await sdk.get(values.invert.options(there).remote(image))
    const samples = new Float32Array(50_000).fill(0.5)
    const returned = await sdk.get(values.passOn.options(there).remote(sdk.transfer(samples)))
    // What a page cannot read at once keeps its place in the order all the same.
    const [blob, after] = await sdk.get([sdk.put(new Blob(['x'.repeat(1_000_000)])), sdk.put('after')])
    return {
      nodeId,
      sum: sum instanceof Vector && [sum.plus(sum).x, sum.y],
      error: {
        isTaskError: error instanceof sdk.TaskError,
        isOutOfRange: error instanceof OutOfRange,
        half: error instanceof OutOfRange && error.half,
        root: root instanceof OutOfRange && !(root instanceof sdk.TaskError) && root.limit,
      },
      loud: [
        loud instanceof File,
        loud.name,
        loud.type,
        loud.lastModified,
        (await loud.text()).slice(0, 12),
        loud.size,
      ],
      image: [inverted instanceof ImageData, inverted.width, ...inverted.data],
      samples: [samples.length, returned.length, returned[49_999]],
      blob: [(await blob.text()).length, after],
    }
  })
  expect(seen).toEqual({
    nodeId: tabs[1]?.nodeId,
    sum: [8, 6],
    error: { isTaskError: true, isOutOfRange: true, half: 5, root: 10 },
    loud: [true, 'a.txt.loud', 'text/plain', 1234, 'HELLO HELLO ', 60_000],
    image: [true, 1, 255, 245, 0, 255],
    samples: [0, 50_000, 0.5],
    blob: [1_000_000, 'after'],
  })
})
