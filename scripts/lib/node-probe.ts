// A look into a tab's node worker through the browser's devtools: what the node keeps, and how much memory its thread does.
import type { NodeHoldings, NodeStatus } from '@shoal/node'
import type { CDPSession, Page } from 'playwright-core'
import { objectBytes } from './heap-snapshot.ts'

export interface NodeLook {
  readonly holdings: NodeHoldings
  readonly status: Pick<NodeStatus, 'ledgers' | 'bytesSent' | 'bytesReceived'>
  /** Of the ledgers that it answers for. */
  readonly records: number
}

interface Answer {
  readonly id?: number
  readonly result?: unknown
  readonly error?: { readonly message: string }
  /** Of an event, in place of an answer. */
  readonly method?: string
  readonly params?: { readonly chunk?: string }
}

interface RemoteObject {
  readonly objectId?: string
  readonly value?: unknown
}

/** The one object of a worker that has a node's methods: minifiers leave the names of methods. */
const FIND = `function () {
  return this.find((each) => Object.hasOwn(Object.getPrototypeOf(each) ?? {}, 'holdings') && 'status' in each)
}`
const LOOK = `function () {
  const { ledgers, bytesSent, bytesReceived } = this.status()
  return { holdings: this.holdings(), status: { ledgers, bytesSent, bytesReceived } }
}`

/** Of one page, for as long as its session lasts. */
export class NodeProbe {
  readonly #worker: WorkerTarget
  readonly #node: string

  readonly #self: string

  private constructor(worker: WorkerTarget, node: string, self: string) {
    this.#worker = worker
    this.#node = node
    this.#self = self
  }

  /** @param self - the id of the page's node */
  static async of(page: Page, self: string): Promise<NodeProbe> {
    for (const worker of await workersOf(page)) {
      const node = await findNode(worker)
      if (node !== undefined) return new NodeProbe(worker, node, self)
    }
    throw new Error('no worker of the page has a node')
  }

  async look(): Promise<NodeLook> {
    const { value } = await this.#worker.call(this.#node, LOOK, true)
    const { holdings, status } = value as Omit<NodeLook, 'records'>
    const own = status.ledgers.filter(({ answeredBy }) => answeredBy === this.#self)
    return { holdings, status, records: own.reduce((sum, { records }) => sum + records, 0) }
  }

  /** After a collection: what is kept, without compiled code; see `objectBytes`. */
  async objectBytes(): Promise<number> {
    await this.#worker.send('HeapProfiler.collectGarbage')
    return objectBytes(await this.#worker.snapshot())
  }

  /** After a collection: objects, what they keep outside, and buffers. */
  async heapBytes(): Promise<number> {
    await this.#worker.send('HeapProfiler.collectGarbage')
    const heap = (await this.#worker.send('Runtime.getHeapUsage')) as Record<string, number>
    const parts = ['usedSize', 'embedderHeapUsedSize', 'backingStorageSize']
    return parts.reduce((sum, part) => sum + (heap[part] ?? 0), 0)
  }
}

async function workersOf(page: Page): Promise<WorkerTarget[]> {
  const devtools = await page.context().newCDPSession(page)
  const workers: WorkerTarget[] = []
  devtools.on('Target.attachedToTarget', ({ sessionId, targetInfo }) => {
    if (targetInfo.type === 'worker') workers.push(new WorkerTarget(devtools, sessionId))
  })
  // It answers after it has told of all that are there.
  await devtools.send('Target.setAutoAttach', { autoAttach: true, waitForDebuggerOnStart: false, flatten: false })
  return workers
}

async function findNode(worker: WorkerTarget): Promise<string | undefined> {
  const { result: prototype } = (await worker.send('Runtime.evaluate', { expression: 'Object.prototype' })) as {
    readonly result: RemoteObject
  }
  const { objects } = (await worker.send('Runtime.queryObjects', { prototypeObjectId: prototype.objectId })) as {
    readonly objects: RemoteObject
  }
  const { objectId } = await worker.call(objects.objectId ?? '', FIND, false)
  // The list itself would keep everything that it found.
  await worker.send('Runtime.releaseObject', { objectId: objects.objectId })
  return objectId
}

/** Playwright speaks with targets of its own choice alone; messages to others go inside messages to their page. */
class WorkerTarget {
  readonly #devtools: CDPSession
  readonly #session: string
  readonly #open = new Map<number, (answer: Answer) => void>()
  #last = 0
  #onChunk: ((chunk: string) => void) | undefined

  constructor(devtools: CDPSession, session: string) {
    this.#devtools = devtools
    this.#session = session
    devtools.on('Target.receivedMessageFromTarget', ({ sessionId, message }) => {
      if (sessionId !== session) return
      const answer = JSON.parse(message) as Answer
      if (answer.method === 'HeapProfiler.addHeapSnapshotChunk') this.#onChunk?.(answer.params?.chunk ?? '')
      if (answer.id !== undefined) this.#open.get(answer.id)?.(answer)
    })
  }

  async send(method: string, params: object = {}): Promise<unknown> {
    const id = ++this.#last
    const answered = new Promise<Answer>((resolve) => this.#open.set(id, resolve))
    await this.#devtools.send('Target.sendMessageToTarget', {
      sessionId: this.#session,
      message: JSON.stringify({ id, method, params }),
    })
    const { result, error } = await answered
    this.#open.delete(id)
    if (error !== undefined) throw new Error(`${method}: ${error.message}`)
    return result
  }

  /** Of the heap, as text. */
  async snapshot(): Promise<string> {
    const chunks: string[] = []
    this.#onChunk = (chunk) => void chunks.push(chunk)
    await this.send('HeapProfiler.takeHeapSnapshot', { reportProgress: false })
    this.#onChunk = undefined
    return chunks.join('')
  }

  async call(objectId: string, functionDeclaration: string, returnByValue: boolean): Promise<RemoteObject> {
    const params = { objectId, functionDeclaration, returnByValue }
    const { result, exceptionDetails } = (await this.send('Runtime.callFunctionOn', params)) as {
      readonly result: RemoteObject
      readonly exceptionDetails?: unknown
    }
    if (exceptionDetails !== undefined) throw new Error(JSON.stringify(exceptionDetails))
    return result
  }
}
