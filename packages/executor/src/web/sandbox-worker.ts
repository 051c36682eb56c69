/**
 * The script of a sandbox worker: a Runner on this thread's clock, timers and eval. It is bundled to one classic script,
 * evaluated in a blob worker of the sandbox frame, and waits for one message: who it is, and the port to the node worker.
 *
 * User code runs in this realm. It must not reach the port or the runner, so neither is ever on a global, and all that
 * touches them is taken from the platform before user code is there to change it. This is no wall between tasks of one
 * worker: a task can spoil a prototype for the next one, and the node believes a worker no more than the code it ran.
 *
 * It is the first of two stages: the sandbox has no network, so the node worker sends the text of the second one when a
 * task is the first to need it.
 */
import { AssertionError, toError } from '@shoal/base'
import type { Clock } from '@shoal/base'
import type { RefFinalizer } from '@shoal/core-worker'
import { LOG_LEVELS, ProtocolError } from '@shoal/protocol'
import type { FramePort, ObjectId } from '@shoal/protocol'
import type { WorkerInit } from '../worker-host.ts'
import type { Evaluate } from '../runner/loaded-code.ts'
import { Runner } from '../runner/runner.ts'
import type { RunnerOptions } from '../runner/runner.ts'
import type { LoadGpu } from '../runner/lazy-gpu.ts'
import type { CreateSecondStage } from '../runner/second-stage.ts'
import { cancelledSlot, GPU_PART, SECOND_STAGE } from './frame-control.ts'
import type { GpuPart, WorkerStart } from './frame-control.ts'
import { createLaneFramePort } from './message-frame-port.ts'
import { createPortLanes, FIRST_LANE, portLane } from './port-lanes.ts'
import type { MessageLane } from './port-lanes.ts'
import type { GpuScript } from './gpu-script.ts'
import { TaskRandom } from './task-random.ts'
import { removeGlobals } from './worker-globals.ts'
import { createWorkerMemory } from './worker-memory.ts'

/** Of this script's own build: see vite-plugin's staged-script.ts. */
declare const shoalStages: { readonly mark: string }

type Level = (typeof LOG_LEVELS)[number]

const NativeFunction = Function
const atomicLoad = Atomics.load
const nativeSetTimeout = setTimeout.bind(globalThis)
const nativeClearTimeout = clearTimeout.bind(globalThis)
const now = performance.now.bind(performance)
const userConsole = globalThis.console
const nativeConsole = Object.fromEntries(
  LOG_LEVELS.map((level) => [level, userConsole[level].bind(userConsole)]),
) as Record<Level, (...args: unknown[]) => void>

const clock: Clock = {
  now,
  after(delayMs, callback) {
    const timer = nativeSetTimeout(callback, delayMs)
    return { cancel: () => nativeClearTimeout(timer) }
  },
}

const evaluate: Evaluate = (parameters, body) =>
  new NativeFunction(...parameters, body) as (...args: unknown[]) => unknown

addEventListener('message', (event: MessageEvent<WorkerStart>) => start(event.data), { once: true })
removeGlobals(globalThis)

/** One runner, or those of the actors that share this thread. */
function start({ init, port, cancelledRuns, memory }: WorkerStart): void {
  const runners = new Map<number, Runner>()
  const random = new TaskRandom(init.nodeId)
  const seeded = random.float.bind(random)
  const faults = new WeakSet<Error>()
  const isToldInMemory = cancelledRuns && ((run: number) => atomicLoad(cancelledRuns, cancelledSlot(run)) === (run | 0))
  const shared = memory && createWorkerMemory(memory)
  // One for all: of a thousand actors each would have a channel more.
  const soon = createSoon()
  const lanes = createPortLanes(port, {
    onOpen: (number, theirs) => run(number, theirs, lanes(number)),
    onClose: (number) => {
      runners.get(number)?.close()
      runners.delete(number)
    },
  })
  // Whose code runs now, or was the last to begin.
  let current = run(FIRST_LANE, init, lanes(FIRST_LANE))
  for (const level of LOG_LEVELS)
    userConsole[level] = (...args: unknown[]) => {
      // A task's lines belong to its driver's console; here are those that no task has.
      if (!current.log(level, args)) nativeConsole[level](...args)
    }
  addEventListener('error', (event) => {
    const error: unknown = event.error
    // A fault of ours, or of the node's frames: unhandled, it reaches the frame, which ends this worker and says why.
    if (error instanceof AssertionError || (error instanceof Error && faults.has(error))) return
    event.preventDefault()
    userConsole.error('uncaught in a task or after it:', error ?? event.message)
  })
  addEventListener('unhandledrejection', (event) => {
    event.preventDefault()
    userConsole.error('a promise was rejected and nobody looked:', event.reason)
  })

  function run(number: number, own: WorkerInit, lane: MessageLane): Runner {
    const runner = createRunner(own, shared?.lane(lane) ?? lane, faults, {
      soon,
      onRunStart(task) {
        current = runner
        random.begin(task)
        // A task before this one may have put its own in its place.
        Math.random = seeded
      },
      ...(isToldInMemory && { isToldInMemory }),
    })
    runners.set(number, runner)
    return runner
  }
}

function createRunner(
  init: WorkerInit,
  lane: MessageLane,
  faults: WeakSet<Error>,
  thread: Pick<RunnerOptions, 'soon' | 'onRunStart' | 'isToldInMemory'>,
): Runner {
  let loaded: ((create: CreateSecondStage) => void) | undefined
  let gpuLoaded: Parameters<LoadGpu>[0]
  const framePort = createLaneFramePort(lane, {
    onText(sent) {
      if (typeof sent === 'string') loaded?.(evaluateSecondStage(sent, faults))
      else {
        const { text, port } = sent as GpuPart
        new NativeFunction('shoalTake', text)((gpu: GpuScript) => gpuLoaded(gpu.createGpuClient, portLane(port)))
      }
    },
  })
  return new Runner({
    ...init,
    port: rememberFaults(framePort, faults),
    clock,
    evaluate,
    loadSecondStage(callback) {
      loaded = callback
      framePort.postText(SECOND_STAGE)
    },
    loadGpu(callback) {
      gpuLoaded = callback
      framePort.postText(GPU_PART)
    },
    createFinalizer,
    ...thread,
  })
}

function evaluateSecondStage(text: string, faults: WeakSet<Error>): CreateSecondStage {
  if (!text.startsWith(`//${shoalStages.mark}\n`)) {
    const error = new Error(
      'the sandbox page is of another build than this tab: serve the sandbox.html of the same build',
    )
    faults.add(error)
    throw error
  }
  // Not by `evaluate`: what user code may have made of arrays shall not choose the text.
  const make = new NativeFunction('shoalStages', text) as (link: unknown) => { createSecondStage: CreateSecondStage }
  return make(shoalStages).createSecondStage
}

/** What the runner throws while it reads a frame is not user code's doing. */
function rememberFaults(port: FramePort, faults: WeakSet<Error>): FramePort {
  return {
    post: (frame) => port.post(frame),
    onFrame(handler) {
      port.onFrame((frame) => {
        try {
          handler(frame)
        } catch (thrown) {
          const error = thrown instanceof ProtocolError ? thrown : toError(thrown)
          faults.add(error)
          throw error
        }
      })
    },
    close: () => port.close(),
  }
}

function createFinalizer(collected: (id: ObjectId) => void): RefFinalizer {
  const registry = new FinalizationRegistry<ObjectId>(collected)
  return {
    register: (ref, id) => registry.register(ref, id, ref),
    unregister: (ref) => void registry.unregister(ref),
  }
}

/** A turn of the event loop behind the messages that wait: timers would come 4 ms late. */
function createSoon(): (callback: () => void) => void {
  const { port1, port2 } = new MessageChannel()
  const post = port2.postMessage.bind(port2)
  const waiting: (() => void)[] = []
  port1.addEventListener('message', () => waiting.shift()?.())
  port1.start()
  return (callback) => {
    waiting.push(callback)
    post(undefined)
  }
}
