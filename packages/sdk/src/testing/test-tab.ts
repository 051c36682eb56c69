import { Subscribable } from '@shoal/base'
import type { Clock, Log, Random } from '@shoal/base'
import { checkFunction } from '@shoal/capture'
import { CoreWorker } from '@shoal/core-worker'
import type { RefFinalizer } from '@shoal/core-worker'
import type { SoftwareGpu } from '@shoal/executor'
import { createMessageFramePort } from '@shoal/executor/web'
import { createRoomLink, createStateService, ShoalNode } from '@shoal/node'
import type { CheckSource } from '@shoal/node'
import { BlobGate, nodeIdOfKeyHash } from '@shoal/protocol'
import type { Crypto, KeyPair, LogLine, NodeId, ResourceSet, RoomId } from '@shoal/protocol'
import { createCollectedRefs } from '../collected-refs.ts'
import { pageSerializers } from '../serializers.ts'
import type { TabReport } from './leak-report.ts'
import type { MemoryNetwork } from './memory-network.ts'
import { createProcessWorkerHost } from './process-worker-host.ts'
import type { ProcessWorkerHost } from './process-worker-host.ts'
import { TabClock } from './tab-clock.ts'

export interface TabSetup {
  readonly name: string
  readonly workers: number
  readonly resources: ResourceSet
  readonly gpu: SoftwareGpu | undefined
  readonly isLending: boolean
  readonly clock: Clock
  readonly random: Random
  readonly crypto: Crypto
  readonly network: MemoryNetwork
  readonly room: RoomId
  readonly roomKey: Uint8Array<ArrayBuffer>
  /** With the room owner's key the tab may submit. */
  readonly ownerKeyPair: KeyPair | undefined
  readonly log: Log
  onLogLine(line: LogLine): void
  onChange(): void
}

/**
 * One tab of a test room: the real node and the real core worker of its page, in this process. Between the two, and
 * between the node and its workers, lie the message ports of a real tab, so that what crosses them is cloned or moved.
 * States: joining -> up -> over (closed with a goodbye, or killed without one).
 */
export class TestTabNode {
  readonly name: string
  readonly nodeId: NodeId
  readonly publicKey: Uint8Array<ArrayBuffer>
  readonly core: CoreWorker
  readonly node: ShoalNode
  readonly isDriver: boolean
  /** What its tasks print. */
  readonly lines = new Subscribable<LogLine>((error) => console.error('a listener of lines failed', error))
  readonly #workers: ProcessWorkerHost
  readonly #clock: TabClock
  readonly #network: MemoryNetwork
  readonly #refs: CountedRefs
  #isOver = false

  static async start(setup: TabSetup): Promise<TestTabNode> {
    const keyPair = await setup.crypto.keyPair(setup.random.bytes(32))
    const nodeId = nodeIdOfKeyHash(await setup.crypto.sha256(keyPair.publicKey))
    const tab = new TestTabNode(setup, keyPair, nodeId)
    const { room, roomKey, ownerKeyPair, network } = setup
    const connector = network.connector(nodeId)
    const signaling = network.signaling(nodeId, 1)
    await tab.node.join({ room, roomKey, ownerKeyPair, connector, signaling, createRoomLink })
    return tab
  }

  private constructor(setup: TabSetup, keyPair: KeyPair, nodeId: NodeId) {
    const { port1, port2 } = new MessageChannel()
    this.name = setup.name
    this.nodeId = nodeId
    this.publicKey = keyPair.publicKey
    this.isDriver = setup.ownerKeyPair !== undefined
    this.#network = setup.network
    this.#clock = new TabClock(setup.clock)
    this.#workers = createProcessWorkerHost(setup.clock, setup.gpu)
    this.#refs = new CountedRefs()
    this.node = new ShoalNode({
      self: nodeId,
      session: 1,
      keyPair,
      clock: this.#clock,
      random: setup.random,
      crypto: setup.crypto,
      log: setup.log,
      workerHost: this.#workers,
      checkSource,
      pagePort: createMessageFramePort(port1, { blobs: BlobGate }),
      slots: setup.workers,
      resources: setup.resources,
      cores: setup.workers,
      name: setup.name,
      agent: 'test room',
      isLending: setup.isLending,
      loadState: () => Promise.resolve({ createStateService }),
      clockEpochMs: Date.now() - this.#clock.now(),
      onLogLine: (line) => {
        setup.onLogLine(line)
        this.lines.emit(line)
      },
      onOver: () => undefined,
      onChange: () => setup.onChange(),
    })
    this.core = new CoreWorker({
      port: createMessageFramePort(port2),
      clock: this.#clock,
      submitter: 0,
      serializers: () => pageSerializers,
      createFinalizer: (collected) => this.#refs.finalizer(collected),
    })
  }

  get isOver(): boolean {
    return this.#isOver
  }

  report(): TabReport {
    const { objects, objectBytes, running, queued } = this.node.status()
    return {
      name: this.name,
      refs: this.#refs.count,
      objects,
      bytes: objectBytes,
      running,
      queued,
      workers: this.#workers.workerCount,
      timers: this.#clock.pending,
      taskTimers: this.#workers.timerCount,
    }
  }

  /** Its workers die in the middle of whatever they do. */
  crashWorkers(): void {
    this.#workers.crash('a test ended it')
  }

  /** Leaves in good order. */
  close(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.core.close()
    this.node.close('left')
  }

  /** Its process is gone: the others hear nothing more from it. */
  kill(): void {
    if (this.#isOver) return
    this.#network.kill(this.nodeId)
    this.close()
    this.#clock.stop()
  }
}

/** The collector's hints about refs, and how many refs there are that nobody released. */
class CountedRefs {
  count = 0

  finalizer(collected: Parameters<typeof createCollectedRefs>[0]): RefFinalizer {
    const registry = createCollectedRefs((id) => {
      this.count--
      collected(id)
    })
    return {
      register: (ref, id) => {
        this.count++
        registry.register(ref, id)
      },
      unregister: (ref) => {
        this.count--
        registry.unregister(ref)
      },
    }
  }
}

const checkSource: CheckSource = (source, isClass, hasUses, facts) => {
  const report = checkFunction(source, { kind: isClass ? 'class' : 'function', hasUses }, facts)
  return Promise.resolve(
    report.ok ? { expression: report.expression } : { message: report.message, identifier: report.identifier },
  )
}
