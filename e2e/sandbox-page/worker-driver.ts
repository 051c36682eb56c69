import {
  codeDefinition,
  decodeValue,
  FrameReader,
  FrameWriter,
  functionHash,
  LOG_LEVELS,
  noDecodeHooks,
  runTemplate,
  TO_NODE,
  TO_SUBMITTER,
  ValueEncoder,
  wireError,
} from '@shoal/protocol'
import type { Frame, FunctionHash, NodeId, WireError } from '@shoal/protocol'
import type { HostedWorker } from '@shoal/executor'

export type Outcome =
  | { readonly kind: 'value'; readonly value: unknown }
  | { readonly kind: 'error'; readonly error: WireError }
  | { readonly kind: 'ended'; readonly reason: string }

/** The node's side of a worker's port, written from the records alone: one worker, inline functions, no refs. */
export class WorkerDriver {
  readonly logs: string[] = []
  /** The largest `bytes` of a frame that came, without its buffers. */
  largestFrameBytes = 0
  readonly ended: Promise<string>
  readonly hosted: HostedWorker
  readonly #nodeId: NodeId
  readonly #writer: FrameWriter
  readonly #encoder = new ValueEncoder()
  readonly #runs = new Map<number, (outcome: Outcome) => void>()
  readonly #codes = new Map<string, number>()
  #lastRun = 0
  #endedWith: string | undefined

  constructor(hosted: HostedWorker, nodeId: NodeId) {
    this.hosted = hosted
    this.#nodeId = nodeId
    this.#writer = new FrameWriter(nodeId, (frame) => hosted.port.post(frame))
    hosted.port.onFrame((frame) => this.#onFrame(frame))
    this.ended = new Promise((resolve) => hosted.onEnded((reason) => resolve(reason)))
    void this.ended.then((reason) => {
      this.#endedWith = reason
      for (const settle of this.#runs.values()) settle({ kind: 'ended', reason })
      this.#runs.clear()
    })
  }

  run(source: string, args: readonly unknown[] = [], taskNumber = 1_000 + this.#lastRun): Promise<Outcome> {
    if (this.#endedWith !== undefined) return Promise.resolve({ kind: 'ended', reason: this.#endedWith })
    const number = this.#template(source)
    const run = ++this.#lastRun
    const writer = this.#writer.begin(TO_SUBMITTER.run)
    writer.varint(run)
    writer.varint(number)
    this.#writer.id({ owner: this.#nodeId, number: taskNumber })
    writer.varint(0)
    writer.varint(0)
    writer.varint(0)
    this.#writer.value(this.#encoder.encode(args, 'arguments'), false)
    return new Promise((resolve) => this.#runs.set(run, resolve))
  }

  sendNonsense(): void {
    this.#writer.begin(99)
  }

  terminate(): void {
    this.hosted.terminate()
  }

  #template(source: string): number {
    const known = this.#codes.get(source)
    if (known !== undefined) return known
    const number = this.#codes.size + 1
    this.#codes.set(source, number)
    const writer = this.#writer.begin(TO_SUBMITTER.code)
    writer.varint(number)
    functionHash.write(writer, number.toString(16).padStart(64, '0') as FunctionHash)
    codeDefinition.write(writer, { type: 'inline', name: 'probe', isClass: false, source, uses: undefined })
    runTemplate.write(this.#writer.begin(TO_SUBMITTER.template), {
      template: number,
      code: number,
      exportName: '',
      name: 'probe',
      job: { driver: this.#nodeId, number: 1 },
      numReturns: 1,
      stream: 0,
      group: '',
      namespace: '',
      resources: [],
      actor: undefined,
    })
    return number
  }

  #onFrame(frame: Frame): void {
    this.largestFrameBytes = Math.max(this.largestFrameBytes, frame.bytes.byteLength)
    const reader = new FrameReader(this.#nodeId, frame)
    while (!reader.isDone) {
      const kind = reader.kind()
      if (kind === TO_NODE.done) this.#onDone(reader)
      else if (kind === TO_NODE.log) {
        reader.reader.varint()
        this.logs.push(`${LOG_LEVELS[reader.reader.u8()]}: ${reader.reader.string()}`)
      } else throw new Error(`the driver does not know record ${kind}`)
    }
  }

  #onDone(reader: FrameReader): void {
    const run = reader.reader.varint()
    reader.reader.varint()
    const settle = this.#runs.get(run)
    this.#runs.delete(run)
    if (reader.kind() === 1) settle?.({ kind: 'error', error: wireError.read(reader.reader) })
    else {
      reader.reader.varint()
      settle?.({ kind: 'value', value: decodeValue(reader.value(), noDecodeHooks) })
    }
  }
}
