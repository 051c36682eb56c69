import type { ArrivingFrame, BlobGate, BlobLike, Frame, FramePort, Ticket } from '@shoal/protocol'
import type { GpuPart } from './frame-control.ts'
import { portLane } from './port-lanes.ts'
import type { MessageLane } from './port-lanes.ts'

export interface MessageFramePortOptions {
  /** Something came that is no frame: the other side is broken or hostile. The port is closed already. */
  onMalformed?(reason: string): void
  /** BlobGate where the other side may put Blobs among a frame's buffers: they are read here. Not where user code could be asked to. */
  readonly blobs?: typeof BlobGate
  /** Something came that is no list and so no frame, beside the frames and in their order: a text, if the other side is honest. */
  onText?(text: unknown): void
}

/** A FramePort that takes texts too: for what is about the thread at the other end and not for its frames' reader. */
export interface MessageFramePort extends FramePort {
  postText(text: string | GpuPart, moved?: Transferable[]): void
}

/** Below this, copying the bytes costs less than handing their whole buffer over. */
const TRANSFER_BYTES = 32 * 1024

// Taken before user code runs: see port-lanes.ts.
const isArray = Array.isArray

/** A FramePort over a MessagePort. Frames that arrive before `onFrame` wait in the port; they survive its transfer too. */
export function createMessageFramePort(port: MessagePort, options?: MessageFramePortOptions): MessageFramePort {
  return createLaneFramePort(portLane(port), options)
}

/**
 * A FramePort over a lane, one message a frame: `[bytes, ...buffers]`. Takes ownership of the lane. Blobs cost nothing to
 * send; the node's end reads them, and frames behind them wait so that the order stays.
 */
export function createLaneFramePort(
  { post: postMessage, listen, close }: MessageLane,
  options: MessageFramePortOptions = {},
): MessageFramePort {
  let gate: BlobGate | undefined
  const refuse = (reason: string): void => {
    gate?.close()
    close()
    options.onMalformed?.(reason)
  }
  return {
    postText: (text, moved = []) => postMessage(text, moved),
    post(frame) {
      const message: (Uint8Array<ArrayBuffer> | BlobLike | Ticket)[] = [frame.bytes]
      const moved: ArrayBuffer[] = []
      if (frame.bytes.byteLength > TRANSFER_BYTES) moved[0] = frame.bytes.buffer
      // A clone of a view takes all of the buffer under it along.
      else if (!isWhole(frame.bytes)) message[0] = frame.bytes.slice()
      for (let i = 0; i < frame.buffers.length; i++) {
        const given = frame.buffers[i] as Uint8Array<ArrayBuffer> | BlobLike | Ticket
        if (!(given instanceof Uint8Array)) {
          message[i + 1] = given
          continue
        }
        const buffer = isWhole(given) ? given : given.slice()
        message[i + 1] = buffer
        moved[moved.length] = buffer.buffer
      }
      postMessage(message, moved)
    },
    onFrame(handler) {
      gate = options.blobs && new options.blobs(handler)
      const onMessage = (data: unknown): void => {
        if (options.onText !== undefined && data !== undefined && !isArray(data)) {
          options.onText(data)
          return
        }
        const frame = readFrame(data, options.blobs)
        if (frame === undefined) refuse('it sent a message that is no frame')
        else if (gate === undefined) handler(frame as Frame)
        else gate.push(frame)
      }
      listen(onMessage)
    },
    close() {
      gate?.close()
      close()
    },
  }
}

function isWhole(bytes: Uint8Array<ArrayBuffer>): boolean {
  return bytes.byteLength === bytes.buffer.byteLength
}

function readFrame(data: unknown, blobs: typeof BlobGate | undefined): ArrivingFrame | undefined {
  if (!isArray(data) || data.length === 0 || !isBytes(data[0])) return undefined
  for (let i = 1; i < data.length; i++) if (!isBytes(data[i]) && blobs?.takes(data[i]) !== true) return undefined
  return { bytes: data[0], buffers: data.slice(1) as ArrivingFrame['buffers'] }
}

function isBytes(item: unknown): item is Uint8Array<ArrayBuffer> {
  return item instanceof Uint8Array && item.buffer instanceof ArrayBuffer
}
