// The entry of the node worker: one dedicated worker a tab, where everything of a node runs but user code and WebRTC's
// handshakes. States: waiting for its page's first message -> starting (keys) -> up -> closed.
import { createLog, deferred, seededRandom } from '@shoal/base'
import { createFrameWorkerHost, createMessageFramePort } from '@shoal/executor/web'
import { BlobGate, nodeIdOfKeyHash, PROTOCOL_VERSION, roomIdOfKeyHash } from '@shoal/protocol'
import type { Deferred, Log } from '@shoal/base'
import type { Crypto, NodeLabels } from '@shoal/protocol'
import type { createFaults, refuseBadFaultRules } from '@shoal/transport'
import { expose } from 'comlink'
import type * as Capture from '@shoal/capture'
import type { createNobleCrypto } from './crypto/noble-crypto.ts'
import { fingerprint } from '../fingerprint.ts'
import type { LendingTerms } from '../lending/lending.ts'
import { ShoalNode } from '../shoal-node.ts'
import { Spaced } from '../spaced.ts'
import type { StateModule } from '../state/state-desk.ts'
import { findGpu } from './find-gpu.ts'
import { calibrate } from './calibrate.ts'
import { deviceLabels } from './device-labels.ts'
import { platformClock } from './platform-clock.ts'
import { createIdbSpillStore } from './idb-spill-store.ts'
import { createPlatformCrypto } from './crypto/platform-crypto.ts'
import { platformRandom } from './crypto/platform-random.ts'
import type * as RoomStage from './node-worker-second.ts'
import type { ChunkName, ChunkText, NodeControl, NodeNews, TabFaults, TabInit } from './tab-messages.ts'

/** The room gives a silent tab up after 5 s; a little before that it is better to begin anew than to find out. */
const SLEPT_MS = 4_500
/** A member may say as often as it likes that our session is over. */
const ENTER_AGAIN_EVERY_MS = 3_000
/** Of what objects may take in memory, so much may lie in the sandbox a second time. */
const SHARED_SHARE = 4
/** People look at the status; four times a second is enough and costs nothing. */
const STATUS_PERIOD_MS = 250

/** Of this script's own build: see vite-plugin's staged-script.ts. */
declare const shoalStages: { readonly mark: string }

/** What we use of a dedicated worker's global scope; the DOM library knows only a window's. */
const scope = self as unknown as {
  onmessage: ((event: MessageEvent<TabInit>) => void) | null
  shoalChunk?: unknown
  importScripts(url: string): void
  readonly location: { readonly href: string }
}

scope.onmessage = (event): void => {
  scope.onmessage = null
  const init = event.data
  start(init).catch((error: unknown) => {
    const message = error instanceof Error ? (error.stack ?? error.message) : String(error)
    init.newsPort.postMessage({ type: 'failed', message } satisfies NodeNews)
  })
}

async function start(init: TabInit): Promise<void> {
  if (init.version !== PROTOCOL_VERSION)
    throw new Error(
      `node-worker.js is of protocol version ${PROTOCOL_VERSION} and this page of ${init.version}: serve the file of the same build`,
    )
  const clock = platformClock
  const random = platformRandom
  const tell = (news: NodeNews): void => init.newsPort.postMessage(news)
  const loadChunk = createChunkLoader(init.newsPort, tell)
  const crypto = await createPlatformCrypto(async () => {
    const make = (await loadChunk('noble')) as typeof createNobleCrypto
    return make()
  })
  const keyPair = await crypto.keyPair(random.bytes(32))
  const nodeId = nodeIdOfKeyHash(await crypto.sha256(keyPair.publicKey))
  const log = createLog({
    level: 'warn',
    write: ({ level, scope: part, message, fields }) =>
      console[level === 'error' ? 'error' : 'warn'](`[shoal ${part}] ${message}`, fields),
  })
  const withFaults = init.faults && faultsOf((await loadChunk('faults')) as FaultsChunk, init.faults, log)
  const entry = new Spaced(clock, ENTER_AGAIN_EVERY_MS, () => tell({ type: 'enter-again' }))
  const reporter = createReporter(() => tell({ type: 'status', status: node.status() }))
  let isGpuSought = false
  const workerHost = createFrameWorkerHost(init.sandboxPort, {
    loadSecondStage: async () => (await loadChunk('sandbox')) as string,
    loadGpu: async () => (await loadChunk('gpu')) as string,
    sharedBytes: init.objectStoreBytes / SHARED_SHARE,
    onUp() {
      // The page fetches it while nobody waits: the first nested task would wait for the network otherwise.
      void loadChunk('sandbox')
      if (isGpuSought) return
      isGpuSought = true
      findGpu(workerHost, init.numGpus).then(
        (found) => found && node.offer(found.resources, found.labels),
        // As good as none.
        () => undefined,
      )
    },
  })
  const node = new ShoalNode({
    self: nodeId,
    session: 1,
    keyPair,
    clock,
    random,
    crypto,
    log,
    workerHost,
    checkSource: async (source, isClass, hasUses, facts) => {
      const capture = (await loadChunk('capture')) as Pick<typeof Capture, 'checkFunction'>
      const report = capture.checkFunction(source, { kind: isClass ? 'class' : 'function', hasUses }, facts)
      return report.ok ? { expression: report.expression } : { message: report.message, identifier: report.identifier }
    },
    pagePort: createMessageFramePort(init.pagePort, { blobs: BlobGate }),
    slots: init.slots,
    resources: init.resources,
    labels: init.labels,
    cores: init.cores,
    name: init.name,
    agent: init.agent,
    isLending: init.isLending,
    ...(init.device !== undefined && { device: init.device }),
    objectStoreBytes: init.objectStoreBytes,
    spillStore: createIdbSpillStore(nodeId),
    ...(init.graceMs !== undefined && { graceMs: init.graceMs }),
    ...(init.namespace !== undefined && { namespace: init.namespace }),
    loadState: () => loadChunk('state') as Promise<StateModule>,
    clockEpochMs: performance.timeOrigin,
    onLogLine: (line) => tell({ type: 'log', line }),
    onOver: () => entry.ask(),
    onRoomSettings: (settings) => tell({ type: 'settings', settings }),
    onChange: reporter.changed,
  })
  const endWatch = watchSleep(() => entry.ask())
  let session = 0
  const device = deviceLabels()
  let speed: NodeLabels = []
  let terms: LendingTerms = { isOn: init.isLending }
  const lend = (now: LendingTerms): void => {
    terms = now
    node.lend({ ...now, labels: [...device, ...speed, ...(now.labels ?? [])] })
    if (now.isOn) measure()
  }
  let isMeasured = false
  /** Once, when it first lends: before nobody asks. */
  function measure(): void {
    if (isMeasured) return
    isMeasured = true
    void calibrate(() => performance.now()).then((mops) => {
      speed = [{ key: 'shoal/speed', value: String(mops) }]
      lend(terms)
    })
  }
  const control = createControl(node, crypto)
  expose(control, init.controlPort)
  tell({ type: 'started', nodeId })
  reporter.changed()

  function createControl(target: ShoalNode, keys: Crypto): NodeControl {
    return {
      async join(request, rtcPort) {
        // Most of its time is the network's; keys are made meanwhile.
        const loading = loadRoomStage(loadChunk)
        const owner = request.kind === 'owner' ? await keys.keyPair(request.owner) : undefined
        const ownerPublicKey = owner?.publicKey ?? request.owner
        const room = roomIdOfKeyHash(await keys.sha256(ownerPublicKey))
        const { server, roomKey, reload } = request
        const secretHash = reload && (await keys.sha256(reload.secret))
        const { createRtcConnector, createWebSocketSignaling, createDirectorySeed, createRoomLink } = await loading
        await target.join({
          room,
          roomKey,
          ownerKeyPair: request.maySubmit ? owner : undefined,
          settings: request.settings,
          reload: reload && secretHash && { ...reload, secretHash },
          session: ++session,
          connector: withFaults?.(createRtcConnector(rtcPort)) ?? createRtcConnector(rtcPort),
          signaling: createWebSocketSignaling({ url: server, room, node: nodeId, session, clock, random, log }),
          createRoomLink,
          seed: (directory) => createDirectorySeed({ directory, server, room }),
        })
        return { room, fingerprint: fingerprint(room), ownerPublicKey, publicKey: keyPair.publicKey }
      },
      async newOwner() {
        const seed = random.bytes(32)
        return { seed, publicKey: (await keys.keyPair(seed)).publicKey }
      },
      leave: () => target.leave('left'),
      suspend: () => target.suspend(),
      lend,
      state: (question) => target.state(question),
      retryEntry: () => entry.ask(),
      close() {
        endWatch()
        entry.close()
        target.close('left')
        reporter.close()
      },
    }
  }
}

interface RoomChunk {
  /** Of the build that it was made with. */
  readonly mark: string
  make(stages: typeof shoalStages): typeof RoomStage
}

async function loadRoomStage(loadChunk: (name: 'room') => Promise<unknown>): Promise<typeof RoomStage> {
  const { mark, make } = (await loadChunk('room')) as RoomChunk
  if (mark === shoalStages.mark) return make(shoalStages)
  throw new Error('node-worker-room.js is of another build than node-worker.js: serve the files of one build')
}

/** @throws TypeError or RangeError for rules that make no sense, which fails the tab's start. */
interface FaultsChunk {
  readonly createFaults: typeof createFaults
  readonly refuseBadFaultRules: typeof refuseBadFaultRules
}

function faultsOf(chunk: FaultsChunk, { rules, seed }: TabFaults, log: Log): ReturnType<typeof createFaults> {
  chunk.refuseBadFaultRules(rules)
  return chunk.createFaults({ rules, clock: platformClock, random: seededRandom(seed), log: log.child('faults') })
}

/** Calls `report` after a change, at once after a quiet period and at most once a period, and now and then for traffic. */
function createReporter(report: () => void): { changed(): void; close(): void } {
  let timer: ReturnType<typeof setTimeout> | undefined
  let lastAtMs = -STATUS_PERIOD_MS
  let isClosed = false
  const send = (): void => {
    timer = undefined
    lastAtMs = performance.now()
    report()
  }
  const heartbeat = setInterval(send, 1000)
  return {
    changed() {
      if (isClosed || timer !== undefined) return
      // Not within the change itself: what it is part of shall be whole when it is told.
      timer = setTimeout(send, Math.max(0, lastAtMs + STATUS_PERIOD_MS - performance.now()))
    },
    close() {
      isClosed = true
      clearTimeout(timer)
      clearInterval(heartbeat)
    },
  }
}

/** Calls back after the whole tab stood still: a frozen page, a phone's dark screen, a closed laptop. */
function watchSleep(slept: () => void): () => void {
  // The wall clock: the monotonic one may stand still in a system's sleep.
  let last = Date.now()
  const timer = setInterval(() => {
    const now = Date.now()
    if (now - last > SLEPT_MS) slept()
    last = now
  }, 500)
  return () => clearInterval(timer)
}

/**
 * Runs a script once each: the file beside this one where this is the hosted node-worker.js, whose own policy may refuse
 * blobs, else the text that the page sends. What is for the sandbox is a text to pass on.
 */
function createChunkLoader(port: MessagePort, tell: (news: NodeNews) => void): (name: ChunkName) => Promise<unknown> {
  const isHosted = !scope.location.href.startsWith('blob:')
  const loading = new Map<ChunkName, Deferred<unknown>>()
  port.onmessage = (event: MessageEvent<ChunkText>): void => {
    const { name, text } = event.data
    if (text === undefined) {
      loading.get(name)?.reject(new Error('a part of Shoal could not be loaded; is the server of this page gone?'))
      loading.delete(name)
      return
    }
    if (isText(name)) {
      loading.get(name)?.resolve(text)
      return
    }
    const url = URL.createObjectURL(new Blob([text], { type: 'text/javascript' }))
    scope.importScripts(url)
    URL.revokeObjectURL(url)
    loading.get(name)?.resolve(scope.shoalChunk)
  }
  return (name) => {
    const known = loading.get(name)
    if (known !== undefined) return known.promise
    const made = deferred<unknown>()
    const { promise, resolve } = made
    loading.set(name, made)
    if (isHosted && !isText(name))
      try {
        scope.importScripts(new URL(`node-worker-${name}.js`, scope.location.href).href)
        resolve(scope.shoalChunk)
        return promise
      } catch {
        // A bundler may have put this script where its neighbours are not.
      }
    tell({ type: 'chunk', name })
    return promise
  }
}

function isText(name: ChunkName): boolean {
  return name === 'sandbox' || name === 'gpu'
}
