import { expect, test } from './support/room-test.ts'

test('a tab without WebRTC works alone and says so, in a room too', async ({ openRoom, newTab }) => {
  const { ownerLink } = await openRoom({ tabs: [{}] })
  const tab = await newTab({
    initScript: () => {
      for (const name of ['RTCPeerConnection', 'webkitRTCPeerConnection']) Reflect.deleteProperty(window, name)
    },
  })
  const alone = await tab.page.evaluate(async () => {
    const { sdk, work } = window.shoalTest
    const session = await sdk.init()
    return { sum: await sdk.get(work.fib.remote(8)), status: session.status() }
  })
  expect(alone.sum).toBe(21)
  expect(alone.status.problem).toContain('WebRTC')
  expect(alone.status.state).toBe('alone')

  const inRoom = await tab.page.evaluate(async (room) => {
    const { sdk, work } = window.shoalTest
    await sdk.shutdown()
    const session = await sdk.init({ room })
    return { sum: await sdk.get(work.fib.remote(8)), status: session.status() }
  }, ownerLink)
  expect(inRoom.sum).toBe(21)
  expect(inRoom.status.problem).toContain('WebRTC')
})
