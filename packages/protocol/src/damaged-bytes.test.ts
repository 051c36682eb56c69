// Long because a message of every kind is written out once.
import { seededRandom } from '@shoal/base'
import { describe, expect, it } from 'vitest'
import { ByteReader, ByteWriter } from './bytes.ts'
import { functionHashOf, randomNodeId } from './ids.ts'
import { ANY_NODE } from './labels.ts'
import type { LabelSelector } from './labels.ts'
import { bulkChunk } from './messages/bulk.ts'
import { directoryRecord } from './messages/directory.ts'
import { linkFrame } from './messages/link.ts'
import { groupDefinition, groupRecord } from './messages/placement-group.ts'
import { nodeMessage, readNodeMessages } from './messages/node-message.ts'
import type { NodeMessage } from './messages/node-message.ts'
import { fromSignalingServer, signal, toSignalingServer } from './messages/signaling.ts'
import type { FromSignalingServer } from './messages/signaling.ts'
import type { TaskArgument } from './messages/task.ts'
import { newWireError } from './messages/wire-error.ts'
import { codeDefinition, runTemplate } from './port/definitions.ts'
import { templateDefinition } from './port/template-definition.ts'
import { FrameReader, FrameWriter } from './port/frame.ts'
import type { Frame } from './port/frame.ts'
import { toResourceSet } from './resources.ts'
import { OwnerDiedError, SerializationError } from './errors.ts'
import { ProtocolError } from './protocol-error.ts'
import type { Schema } from './schema.ts'
import { damaged, generate, typesOf } from './testing/generate.ts'
import { decodeValue, noDecodeHooks } from './value/decode-value.ts'
import type { DecodeHooks } from './value/decode-value.ts'
import { ValueEncoder } from './value/encode-value.ts'
import { fromRun, toRun } from './value/encoded-value.ts'
import { SerializerRegistry } from './value/serializer-registry.ts'
import { TAG } from './value/tags.ts'

const LABELS: LabelSelector = {
  hard: [{ key: 'region', isNot: true, values: ['eu', 'us'] }],
  soft: [{ key: 'gpu', isNot: false, values: ['yes'] }],
}

type Bytes = Uint8Array<ArrayBuffer>

const ROUNDS = 3_000
const node = randomNodeId(seededRandom(1))
class Point {
  x = 1
}
const BUNDLE = { group: { owner: node, number: 7 }, bundle: 2, captures: true }
const registry = new SerializerRegistry()
registry.registerSerializer(Point, { name: 'Point' })
registry.registerSerializer(URL, {
  name: 'URL',
  serialize: (url) => url.href,
  deserialize: (href: string) => new URL(href),
})
const hooks: DecodeHooks = { ...noDecodeHooks, serializers: () => registry }
const memory = new Float64Array(4_100)
const value = new ValueEncoder({ replace: () => undefined, serializers: () => registry }).encode(
  {
    halves: '\uD800 and \uDC00',
    point: new Point(),
    url: new URL('https://a.example/'),
    lost: new OwnerDiedError('owner-died', 'gone', { details: { objectId: 'x/1' }, cause: new URIError('u') }),
    all: new AggregateError([new DOMException('stop', 'AbortError')], 'all'),
    views: [memory.subarray(1, 5), new DataView(memory.buffer, 8, 3), memory.buffer],
    list: [1, -5, 2.5, 'text', 'ü', null, undefined, true, 10n ** 30n],
    map: new Map<unknown, unknown>([[1, new Set(['a'])]]),
    error: new RangeError('far'),
    regexp: /a(b)/g,
    bytes: new Uint8Array(40),
    large: new Float64Array(4_000),
    boxed: Object(5),
  },
  'value',
)

/** Reads damaged bytes many times: what is thrown must be an error of ours, and some reads must fail. */
function attack(bytes: Bytes, read: (bytes: Bytes) => unknown): void {
  const random = seededRandom(99)
  let refused = 0
  for (let round = 0; round < ROUNDS; round++) {
    const input = damaged(random, bytes)
    try {
      read(input)
    } catch (error) {
      if (!(error instanceof ProtocolError || error instanceof SerializationError))
        throw new Error(`round ${round} threw ${String(error)}`, { cause: error })
      refused++
    }
  }
  expect(refused).toBeGreaterThan(ROUNDS / 20)
}

function written<T>(schema: { write(writer: ByteWriter, value: T): void }, message: T): Bytes {
  const writer = new ByteWriter()
  schema.write(writer, message)
  return writer.finish()
}

const id = { owner: node, number: 300 }
const attempt = { epoch: 0, number: 2 }
const small = new ValueEncoder().encode([1, 'two', { three: 3 }], 'value')
const hash = functionHashOf(seededRandom(3).bytes(32))
const key = seededRandom(4).bytes(32)
const dependency: TaskArgument = {
  place: 1,
  object: { id, attempt, value: { type: 'stored', bytes: 5_000_000, holders: [node, node] } },
}
const MESSAGES: NodeMessage[] = [
  {
    type: 'task.submit',
    ledger: undefined,
    template: 3,
    number: 2 ** 33,
    attempt,
    depth: 4,
    parent: id,
    streamId: 4,
    dependencies: [dependency, { place: 2, object: { id, attempt, value: { type: 'inline', value: small } } }],
    args: small,
    handOver: 7,
  },
  {
    type: 'task.yielded',
    ledger: node,
    number: 2 ** 33,
    attempt,
    streamId: 2,
    first: 3,
    values: [
      { type: 'inline', value: small },
      { type: 'stored', bytes: 5_000_000, refs: [id] },
    ],
    handOver: 3,
  },
  {
    type: 'task.template',
    template: 3,
    job: { driver: node, number: 1 },
    fn: hash,
    exportName: '#3',
    name: 'f',
    submitter: key,
    signature: seededRandom(5).bytes(64),
    shape: { resources: toResourceSet({ CPU: 1, camera: 0.5 }), strategy: 'SPREAD', labels: LABELS, bundle: BUNDLE },
    held: toResourceSet({ camera: 0.5 }),
    numReturns: 1,
    stream: 3,
    namespace: 'demo',
    actor: {
      facts: {
        className: 'Game',
        methods: [{ name: 'play', arity: { least: 1, most: Infinity }, isGenerator: false }],
        maxTaskRetries: -1,
        maxPendingCalls: Infinity,
        checkpointEveryCalls: 10,
        groups: [{ name: 'io', limit: 2, methods: ['fetch'] }],
      },
      maxRestarts: 3,
      maxConcurrency: 2,
      registered: { namespace: 'demo', name: 'board' },
      getIfExists: true,
      isDetached: false,
    },
    maxRetries: 3,
    timeoutMs: 0,
  },
  {
    type: 'task.result',
    ledger: undefined,
    number: 5,
    attempt,
    outcome: {
      type: 'values',
      values: [
        { type: 'inline', value: small },
        { type: 'stored', bytes: 1e6, refs: [id] },
      ],
    },
    cpuMicros: 100,
    position: 0,
    handOver: 8,
  },
  {
    type: 'task.result',
    ledger: undefined,
    number: 5,
    attempt,
    outcome: { type: 'failed', error: newWireError('task-failed', 'no', { stack: 'at f', cause: small }) },
    cpuMicros: 1,
    position: 0,
    handOver: 0,
  },
  { type: 'object.answer', answer: { type: 'value', object: dependency.object }, handOver: 9 },
  { type: 'ref.confirm', number: 300 },
  { type: 'ref.register', owner: id.owner, number: 2, objects: [1, 2 ** 40] },
  { type: 'ref.registered', number: 2, unknown: [2 ** 40] },
  { type: 'ref.release', id, isCopyGone: true },
  { type: 'object.pull', pull: 4, subject: { type: 'function', hash }, segments: [0, 900] },
  { type: 'object.head', pull: 4, bytes: 5, hashes: new Uint8Array(32), handOver: 3, isPartial: true, has: [0, 7] },
  { type: 'object.have', pull: 4, segment: 3 },
  { type: 'object.also', pull: 4, nodes: [node, node] },
  { type: 'object.stop', pull: 4, segments: [1] },
  { type: 'object.gone', id, attempt: { epoch: 0, number: 2 } },
  { type: 'object.free', attempt: undefined, ids: [id, id] },
  {
    type: 'actor.place',
    actor: id,
    incarnation: attempt,
    place: { type: 'dead', error: newWireError('actor-died', 'dead') },
    facts: undefined,
  },
  {
    type: 'log.lines',
    lines: [{ job: { driver: node, number: 1 }, task: id, node, name: 'f', level: 'warn', text: 'hello' }],
  },
  {
    type: 'actor.create',
    template: 3,
    actor: id,
    incarnation: attempt,
    dependencies: [],
    args: small,
    revival: {
      callers: [node],
      checkpoint: { position: 20, executed: [{ node, numbers: [5, 2 ** 40] }], dependencies: [], args: small },
    },
    handOver: 0,
  },
  {
    type: 'actor.order',
    actor: id,
    incarnation: attempt,
    first: 21,
    order: [
      { node, number: 6 },
      { node, number: 7 },
    ],
    isWhole: true,
  },
  { type: 'actor.kept', actor: id, incarnation: attempt, first: 21, order: [{ node, number: 6 }] },
  {
    type: 'actor.checkpoint',
    actor: id,
    incarnation: attempt,
    position: 30,
    executed: [{ node, numbers: [6] }],
    dependencies: [{ place: 0, object: dependency.object }],
    args: small,
    handOver: 4,
  },
  { type: 'actor.covered', actor: id, incarnation: attempt, position: 30, numbers: [6, 7] },
  {
    type: 'credit.want',
    shape: { resources: toResourceSet({ CPU: 0.5 }), strategy: 'DEFAULT', labels: LABELS, bundle: undefined },
    queued: 5,
  },
  { type: 'credit.grant', shape: { resources: [], strategy: 'SPREAD', labels: ANY_NODE, bundle: undefined }, count: 5 },
  {
    type: 'group.prepare',
    group: id,
    round: 3,
    job: { driver: node, number: 1 },
    bundles: [{ index: 0, resources: [] }],
  },
  { type: 'group.return', group: id, round: 3, isRemoved: true },
  { type: 'group.check', held: [{ group: id, round: 3 }] },
  { type: 'directory.update', update: seededRandom(6).bytes(100) },
]

describe('damaged bytes are refused as a peer fault, quickly and without a huge allocation', () => {
  it('messages between nodes, which read back when they are whole', () => {
    const writer = new ByteWriter()
    for (const message of MESSAGES) nodeMessage.write(writer, message)
    const bytes = writer.finish()
    expect(readNodeMessages(bytes)).toEqual(MESSAGES)
    attack(bytes, readNodeMessages)
    for (const message of MESSAGES) attack(written(nodeMessage, message), readNodeMessages)
  })

  for (const [name, schema] of Object.entries<Schema<unknown>>({
    nodeMessage,
    linkFrame,
    toSignalingServer,
    fromSignalingServer,
    codeDefinition,
  }))
    it(`[R3] every type of ${name}, made from its schema, reads back whole and is refused when damaged`, () => {
      const random = seededRandom(21)
      const read = (bytes: Bytes): unknown => {
        const reader = new ByteReader(bytes)
        const message = schema.read(reader)
        if (!reader.isDone) throw new ProtocolError('malformed', 'bytes follow')
        return message
      }
      const types = typesOf(schema)
      expect(types.length).toBeGreaterThan(1)
      for (const type of types) {
        let refused = 0
        for (let round = 0; round < 200; round++) {
          const message = generate(schema, { random, nodes: [node] }, type)
          const bytes = written(schema, message)
          expect(read(bytes)).toEqual(message)
          expect(message).toMatchObject({ type })
          try {
            read(damaged(random, bytes))
          } catch (error) {
            if (!(error instanceof ProtocolError)) throw new Error(`${type} threw ${String(error)}`, { cause: error })
            refused++
          }
        }
        expect({ type, isRefused: refused > 20 }).toEqual({ type, isRefused: true })
      }
    })

  it('a schema of a shape that nothing can make fails, instead of being left out', () => {
    const odd: Schema<number> = { shape: 'moonphase', write: () => undefined, read: () => 0 }
    expect(() => generate(odd, { random: seededRandom(1) })).toThrow('no generator for moonphase')
  })

  it('frames of a link', () => {
    const frame = {
      type: 'packet',
      from: node,
      to: node,
      fromSession: 1,
      toSession: 2,
      number: 3,
      acknowledged: 2,
      body: seededRandom(7).bytes(100),
    } as const
    expect(linkFrame.read(new ByteReader(written(linkFrame, frame)))).toEqual(frame)
    attack(written(linkFrame, frame), (bytes) => linkFrame.read(new ByteReader(bytes)))
    const goodbye = { type: 'goodbye', session: 1, reason: 'left' } as const
    attack(written(linkFrame, goodbye), (bytes) => linkFrame.read(new ByteReader(bytes)))
  })

  it('chunks, records, signals and what the signaling server says', () => {
    const bulk = written(bulkChunk, { pull: 1, offset: 0, bytes: seededRandom(8).bytes(64) })
    attack(bulk, (bytes) => bulkChunk.read(new ByteReader(bytes)))
    const record = { key: 'node/x', writer: key, version: 1, body: key, signature: seededRandom(9).bytes(64) }
    attack(written(directoryRecord, record), (bytes) => directoryRecord.read(new ByteReader(bytes)))
    const sent = {
      version: 1,
      from: node,
      to: node,
      fromSession: 1,
      toSession: 1,
      connection: 1,
      publicKey: key,
      data: '{"type":"offer"}',
      signature: seededRandom(9).bytes(64),
    }
    attack(written(signal, sent), (bytes) => signal.read(new ByteReader(bytes)))
    const welcome: FromSignalingServer = { type: 'welcome', version: 1, members: [{ node, session: 4 }] }
    attack(written(fromSignalingServer, welcome), (bytes) => fromSignalingServer.read(new ByteReader(bytes)))
    const relay = { type: 'relay', to: node, blob: key } as const
    attack(written(toSignalingServer, relay), (bytes) => toSignalingServer.read(new ByteReader(bytes)))
  })

  it('what defines code and templates', () => {
    const inline = { type: 'inline', name: 'f', isClass: false, source: '() => 1', uses: small } as const
    attack(written(codeDefinition, inline), (bytes) => codeDefinition.read(new ByteReader(bytes)))
    const options = { template: 1, code: 2, exportName: '', name: 'f', numReturns: 1, stream: 0 }
    const full = written(templateDefinition, {
      ...options,
      resources: toResourceSet({ CPU: 1, camera: 0.5 }),
      held: toResourceSet({ camera: 0.5 }),
      strategy: 'SPREAD',
      labels: LABELS,
      bundle: BUNDLE,
      isFree: false,
      maxRetries: 3,
      retryExceptions: ['RangeError'],
      timeoutMs: 0,
      actor: undefined,
    })
    attack(full, (bytes) => templateDefinition.read(new ByteReader(bytes)))
    const group = { number: 5, name: 'g', strategy: 'STRICT_SPREAD', bundles: [toResourceSet({ CPU: 1 })] } as const
    attack(written(groupDefinition, { ...group, bundles: [...group.bundles] }), (bytes) =>
      groupDefinition.read(new ByteReader(bytes)),
    )
    const place = { resources: toResourceSet({ CPU: 1 }), node }
    attack(written(groupRecord, { group: { number: 5, bundles: [place] } }), (bytes) =>
      groupRecord.read(new ByteReader(bytes)),
    )
    const run = written(runTemplate, {
      ...options,
      job: { driver: node, number: 1 },
      namespace: '',
      group: '',
      resources: toResourceSet({ CPU: 1 }),
      actor: { maxConcurrency: 3, registered: undefined, maxTaskRetries: 0, groups: [] },
    })
    attack(run, (bytes) => runTemplate.read(new ByteReader(bytes)))
  })

  it('[V11] values', () => {
    expect(Object.keys(decodeValue({ ...value }, hooks) as object)).toContain('views')
    attack(value.body, (body) => decodeValue({ ...value, body }, hooks))
  })

  it('[V11] values with Blobs, whose bytes may be missing or of another length', () => {
    const blobs = new ValueEncoder().encodeForFrame([new File(['abc'], 'a.txt'), new Blob(['defg'])], 'value')
    const buffers = [new Uint8Array([97, 98, 99]), new Uint8Array([1, 2, 3, 4])]
    attack(blobs.body, (body) => decodeValue({ ...blobs, body, buffers }))
    expect(() => decodeValue({ ...blobs, buffers: [] })).toThrow(ProtocolError)
    expect(() => decodeValue({ ...blobs, buffers: buffers.reverse() })).toThrow(SerializationError)
  })

  it('[V11] values of which nothing can be read count their references all the same', () => {
    let made = 0
    const ref = (): object => ({ made: ++made })
    const broken = { refs: [id, id, id], body: new Uint8Array([255]), buffers: [] }
    expect(() => decodeValue(broken, { ...noDecodeHooks, ref })).toThrow(ProtocolError)
    expect(made).toBe(3)
  })

  it('[V11] values that claim arrays within arrays as long as all that is left', () => {
    const body = new Uint8Array(200_000)
    for (let at = 0; at + 5 < body.length; at += 5) body.set([TAG.array, 0x80, 0x80, 0x06, TAG.null], at)
    expect(() => decodeValue({ refs: [], body, buffers: [] })).toThrow(ProtocolError)
    const before = process.memoryUsage().heapUsed
    const nested = new Uint8Array(200_000)
    // Each says: an array of 98,304 elements, the first of which is the next.
    for (let at = 0; at + 4 < nested.length; at += 4) nested.set([TAG.array, 0x80, 0x80, 0x06], at)
    expect(() => decodeValue({ refs: [], body: nested, buffers: [] })).toThrow(ProtocolError)
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(200e6)
  })

  it('[V11] objects received as runs', () => {
    const pieces = toRun(value, new ByteWriter(64))
    const run = Uint8Array.from(pieces.flatMap((piece) => [...piece].slice(0, 2_000)))
    attack(run, (bytes) =>
      decodeValue(
        fromRun(bytes, (header) => new ByteReader(header)),
        hooks,
      ),
    )
  })

  it('frames between threads', () => {
    let frame: Frame | undefined
    const writer = new FrameWriter(node, (posted) => (frame = posted as Frame))
    writer.begin(3)
    writer.ids([id, { owner: randomNodeId(seededRandom(8)), number: 1 }])
    writer.dependencies([{ place: 0, id }])
    writer.value(value, true)
    writer.flush()
    const { bytes, buffers } = frame as unknown as Frame
    const read = (input: Bytes): unknown[] => {
      const reader = new FrameReader(node, { bytes: input, buffers })
      return [reader.kind(), reader.ids(), reader.dependencies(), reader.value()]
    }
    expect(read(bytes)[1]).toEqual([id, { owner: randomNodeId(seededRandom(8)), number: 1 }])
    attack(bytes, read)
  })
})
