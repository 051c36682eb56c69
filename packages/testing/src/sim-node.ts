import { SerializerRegistry, toResourceSet } from '@shoal/protocol'
import type { LogLine, NodeId } from '@shoal/protocol'
import { CoreWorker, createApi, createPlacementGroupApi, pageContext } from '@shoal/core-worker'
import type { Api, PlacementGroupApi } from '@shoal/core-worker'
import { checkFunctionSource } from '@shoal/capture'
import { createRoomLink, createStateService, ShoalNode } from '@shoal/node'
import type { SpillStore } from '@shoal/object-store'
import type { NodeGuards, NodeOptions, ReloadOptions } from '@shoal/node'
import { SimCollector } from './sim-collector.ts'
import { simFramePorts } from './sim-frame-port.ts'
import { simWorkerHost } from './sim-worker-host.ts'
import type { SimWorkerHost, WorkerGlobals } from './sim-worker-host.ts'
import type { SimParticipant, SimPorts } from './sim-world.ts'
import type { KeyPair, RoomSettings } from '@shoal/protocol'

export interface SimNodeOptions {
  /** The room has given the node's session up. */
  readonly onOver?: () => void
  readonly onRoomSettings?: (settings: RoomSettings) => void
  /** What it decides for the room, where it has the owner's key. */
  readonly settings?: RoomSettings
  readonly slots?: number
  /** What it has beside its CPUs, by name. */
  readonly resources?: Readonly<Record<string, number>>
  /** What it says of itself. */
  readonly labels?: Readonly<Record<string, string>>
  readonly isLending?: boolean
  /** What only a tab that is gone held is kept for it this long. Default 3,000. */
  readonly graceMs?: number
  /** X1: what is switched off. */
  readonly guards?: Partial<NodeGuards>
  /** How much is kept of how results were made; less than in a browser, so that it is reached. */
  readonly lineage?: NodeOptions['lineage']
  /** What objects may take in memory, and where the rest goes. */
  readonly objectStoreBytes?: number
  readonly spillStore?: SpillStore
  /** Tabs of one device die together. */
  readonly device?: string
  /** See NodeOptions.namespace. */
  readonly namespace?: string
  /** With the room owner's key the node's page may submit. */
  readonly ownerKeyPair?: KeyPair
  /** What a driver's page has put by for its reload, and what it found there. */
  readonly reload?: ReloadOptions
  /** Stays out of the room. */
  readonly isAlone?: boolean
  /** What user code finds by name beside `simSleep`: the scenario's own eyes. */
  readonly globals?: Readonly<Record<string, unknown>>
  /** The same, made for each worker. */
  readonly workerGlobals?: WorkerGlobals
  /**
   * What a run left in its worker is collected this long after the next run there has begun. Only for user code that
   * keeps no ref beyond its run.
   */
  readonly garbageDelayMs?: () => number
}

/** A whole tab under simulation: the real node, the real core worker as its page, real runners as its workers. */
export interface SimNode extends SimParticipant {
  readonly node: ShoalNode
  readonly api: Api & PlacementGroupApi
  readonly core: CoreWorker
  /** The page's; each worker has its own. */
  readonly collector: SimCollector
  /** The classes that are registered on the page. */
  readonly serializers: SerializerRegistry
  readonly workers: SimWorkerHost
  readonly lines: readonly LogLine[]
  readonly ports: SimPorts
  /** As a page does when its node says that its session is over: leaves, and enters again under these. */
  enterAgain(ports: SimPorts): Promise<void>
}

export async function createSimNode(ports: SimPorts, options: SimNodeOptions = {}): Promise<SimNode> {
  const { clock } = ports
  const [pageEnd, nodeEnd] = simFramePorts(clock)
  const globals = options.globals ?? {}
  const workers = simWorkerHost(clock, globals, options)
  const names = [
    'simSleep',
    'simCrash',
    'simHang',
    ...Object.keys(globals),
    ...Object.keys(options.workerGlobals?.(() => false) ?? {}),
  ]
  const lines: LogLine[] = []
  const node = new ShoalNode({
    self: ports.node,
    session: ports.session,
    keyPair: ports.keyPair,
    clock,
    random: ports.random,
    crypto: ports.crypto,
    log: ports.log,
    workerHost: workers,
    pagePort: nodeEnd,
    slots: options.slots ?? 1,
    resources: toResourceSet(options.resources ?? {}),
    labels: Object.entries(options.labels ?? {}).map(([key, value]) => ({ key, value })),
    name: ports.name,
    agent: 'simulation',
    cores: options.slots ?? 1,
    isLending: options.isLending ?? true,
    graceMs: options.graceMs ?? 3_000,
    ...(options.guards !== undefined && { guards: options.guards }),
    ...(options.lineage !== undefined && { lineage: options.lineage }),
    ...(options.objectStoreBytes !== undefined && { objectStoreBytes: options.objectStoreBytes }),
    ...(options.spillStore !== undefined && { spillStore: options.spillStore }),
    ...(options.device !== undefined && { device: options.device }),
    ...(options.namespace !== undefined && { namespace: options.namespace }),
    checkSource: (source, isClass, hasUses) => {
      // The simulation's names stand for something that every worker has.
      const known = names.reduce((text, name) => text.replaceAll(name, 'setTimeout'), source)
      const report = checkFunctionSource(known, {
        kind: isClass ? 'class' : 'function',
        hasUses,
      })
      return Promise.resolve(report.ok ? { expression: source } : report)
    },
    loadState: () => Promise.resolve({ createStateService }),
    onLogLine: (line) => lines.push(line),
    onOver: () => options.onOver?.(),
    onRoomSettings: (settings) => options.onRoomSettings?.(settings),
    onChange: () => undefined,
  })
  const collector = new SimCollector()
  const { createFinalizer } = collector
  const serializers = new SerializerRegistry()
  const core = new CoreWorker({
    port: pageEnd,
    clock,
    submitter: 0,
    createFinalizer,
    serializers: () => serializers,
  })
  const api = {
    ...createApi({
      core: () => core,
      moduleScope: () => undefined,
      context: () => pageContext(ports.node),
    }),
    ...createPlacementGroupApi(() => core),
  }
  const join = async (
    { room, roomKey, connector, signaling, session }: SimPorts,
    reload = options.reload,
  ): Promise<void> =>
    node.join({
      room,
      roomKey,
      connector,
      signaling,
      createRoomLink,
      session,
      ownerKeyPair: options.ownerKeyPair,
      settings: options.settings,
      reload,
    })
  if (options.isAlone !== true) await join(ports)
  let present = ports
  return {
    node,
    api,
    core,
    collector,
    serializers,
    workers,
    lines,
    get ports() {
      return present
    },
    async enterAgain(next) {
      node.suspend()
      present = next
      await join(next, options.reload && { ...options.reload, kept: [] })
    },
    close(reason) {
      node.close(reason)
      core.close()
    },
  }
}

/** Tabs that are gone and whose ledgers this one answers for. */
export function takenBy({ node, ports }: SimNode): NodeId[] {
  const { ledgers } = node.status()
  return ledgers.flatMap(({ owner, answeredBy }) => (answeredBy === ports.node && owner !== ports.node ? [owner] : []))
}
