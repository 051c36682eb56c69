import { MessageChannel as NodeChannel } from 'node:worker_threads'
import { afterEach, expect, test, vi } from 'vitest'
import { parseNodeId } from '@shoal/protocol'
import { createPortLanes, FIRST_LANE } from './port-lanes.ts'

const opened: MessagePort[] = []
afterEach(() => {
  for (const port of opened.splice(0)) port.close()
})

function channel(): readonly [MessagePort, MessagePort] {
  const { port1, port2 } = new NodeChannel()
  const ports = [port1, port2] as unknown as readonly [MessagePort, MessagePort]
  opened.push(...ports)
  return ports
}

const init = { submitter: 2, workerId: 2, nodeId: parseNodeId('ab'.repeat(16)) }
const frame = (byte: number): [Uint8Array] => [new Uint8Array([byte])]

test('each lane has its own messages, both ways, and the first goes as it is', async () => {
  const [a, b] = channel()
  const [here, there] = [createPortLanes(a), createPortLanes(b, { onOpen: (number) => serve(number) })]
  const got: [number, unknown][] = []
  function serve(number: number): void {
    const lane = there(number)
    lane.listen((data) => {
      got.push([number, data])
      lane.post(frame(number), [])
    })
  }
  const answers: [number, unknown][] = []
  serve(FIRST_LANE)
  for (const number of [FIRST_LANE, 7, 9]) {
    const lane = here(number)
    if (number !== FIRST_LANE) lane.post(init, [])
    lane.listen((data) => answers.push([number, data]))
    lane.post(frame(100 + number), [])
    lane.post('a text', [])
  }
  const expected = [FIRST_LANE, 7, 9].flatMap((n): [number, unknown][] => [
    [n, frame(100 + n)],
    [n, 'a text'],
  ])
  await vi.waitFor(() => expect(answers).toHaveLength(6))
  expect(got).toEqual(expected)
  expect(answers).toEqual(expected.map(([n]) => [n, frame(n)]))
})

test('a lane that is closed is told of once, and the others go on', async () => {
  const [a, b] = channel()
  const closed: number[] = []
  const got: number[] = []
  const there = createPortLanes(b, {
    onOpen: (number) => there(number).listen(() => got.push(number)),
    onClose: (number) => closed.push(number),
  })
  there(FIRST_LANE).listen(() => got.push(FIRST_LANE))
  const here = createPortLanes(a)
  const [three, four] = [here(3), here(4)]
  three.post(init, [])
  four.post(init, [])
  three.close()
  here(FIRST_LANE).close()
  four.post(frame(1), [])
  await vi.waitFor(() => expect(got).toEqual([4]))
  expect(closed).toEqual([3, FIRST_LANE])
})
