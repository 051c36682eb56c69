import { median } from './statistics.ts'

// The limit beside work in another tab: a bare data channel between two connections on this machine.
async function openPair(): Promise<{ a: RTCDataChannel; b: RTCDataChannel; close(): void }> {
  const left = new RTCPeerConnection()
  const right = new RTCPeerConnection()
  left.onicecandidate = ({ candidate }) => void (candidate && right.addIceCandidate(candidate))
  right.onicecandidate = ({ candidate }) => void (candidate && left.addIceCandidate(candidate))
  const a = left.createDataChannel('raw', { negotiated: true, id: 1 })
  const b = right.createDataChannel('raw', { negotiated: true, id: 1 })
  const opened = Promise.all([a, b].map((channel) => new Promise((resolve) => (channel.onopen = resolve))))
  await left.setLocalDescription()
  await right.setRemoteDescription(left.localDescription as RTCSessionDescription)
  await right.setLocalDescription()
  await left.setRemoteDescription(right.localDescription as RTCSessionDescription)
  await opened
  a.binaryType = b.binaryType = 'arraybuffer'
  return {
    a,
    b,
    close() {
      left.close()
      right.close()
    },
  }
}

/** Median round trip of 64 bytes, in milliseconds. */
export async function rawChannelRoundTripMs(count: number): Promise<number> {
  const { a, b, close } = await openPair()
  b.onmessage = (event) => b.send(event.data as ArrayBuffer)
  const times: number[] = []
  for (let i = 0; i < count; i++) {
    const start = performance.now()
    const answer = new Promise((resolve) => (a.onmessage = resolve))
    a.send(new Uint8Array(64))
    await answer
    times.push(performance.now() - start)
  }
  close()
  return median(times)
}

/** Bytes a second in messages of 64 KiB under a window of 1 MiB. */
export async function rawChannelBytesPerSecond(total: number): Promise<number> {
  const { a, b, close } = await openPair()
  const message = new Uint8Array(64 * 1024)
  let received = 0
  const done = new Promise<void>((resolve) => {
    b.onmessage = (event) => {
      received += (event.data as ArrayBuffer).byteLength
      if (received >= total) resolve()
    }
  })
  let sent = 0
  const start = performance.now()
  a.bufferedAmountLowThreshold = 512 * 1024
  const pump = (): void => {
    while (sent < total && a.bufferedAmount < 1024 * 1024) {
      a.send(message)
      sent += message.length
    }
  }
  a.onbufferedamountlow = pump
  pump()
  await done
  const rate = total / ((performance.now() - start) / 1000)
  close()
  return rate
}
