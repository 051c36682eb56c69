import { expose } from 'comlink'
import { parseNodeId } from '@shoal/protocol'
import type { WorkerHost } from '@shoal/executor'
import { createFrameWorkerHost } from '@shoal/executor/web'
import { secondStageText } from '@shoal/executor/second-stage-text'
import { WorkerDriver } from './worker-driver.ts'
import type { Outcome } from './worker-driver.ts'

const nodeId = parseNodeId('5eed'.repeat(8))
const drivers: WorkerDriver[] = []
let host: WorkerHost | undefined
/** Workers that asked for theirs. */
let secondStages = 0
let secondStage = secondStageText

const driver = (index: number): WorkerDriver => {
  const found = drivers[index]
  if (found === undefined) throw new Error(`there is no worker ${index}`)
  return found
}

/** What the tests ask for through the page. */
const commands = {
  open(controlPort: MessagePort, answerWithinMs: number): void {
    host = createFrameWorkerHost(controlPort, {
      answerWithinMs,
      loadGpu: () => Promise.reject(new Error('this page does without')),
      loadSecondStage() {
        secondStages++
        return Promise.resolve(secondStage)
      },
    })
  },
  secondStages: () => secondStages,
  /** As when the hosted sandbox.html is of another build than the page. */
  ageSecondStage(): void {
    secondStage = secondStageText.replace(/^\/\/\w+/, '//000000000000')
  },
  /** `beside`: in that one's thread. */
  startWorker(beside?: number): number {
    if (host === undefined) throw new Error('open() comes first')
    const workerId = drivers.length + 1
    const neighbour = beside === undefined ? undefined : driver(beside).hosted
    return drivers.push(new WorkerDriver(host.start({ submitter: workerId, workerId, nodeId }, neighbour), nodeId)) - 1
  },
  run(worker: number, source: string, args: unknown[], taskNumber?: number): Promise<Outcome> {
    return driver(worker).run(source, args, taskNumber)
  },
  /** Runs `source` for 0 to count - 1, all in one frame; the values in the order of the arguments. */
  async runMany(worker: number, source: string, count: number): Promise<unknown[]> {
    const outcomes = await Promise.all(Array.from({ length: count }, (_, i) => driver(worker).run(source, [i])))
    return outcomes.map((outcome) => (outcome.kind === 'value' ? outcome.value : outcome))
  },
  /** A large result is looked at here: between page and tests only small values travel. */
  async runLarge(worker: number, source: string): Promise<{ length: number; sum: number; frameBytes: number }> {
    const outcome = await driver(worker).run(source)
    if (outcome.kind !== 'value' || !(outcome.value instanceof Float64Array)) throw new Error(JSON.stringify(outcome))
    const sum = outcome.value.reduce((total, item) => total + item, 0)
    return { length: outcome.value.length, sum, frameBytes: driver(worker).largestFrameBytes }
  },
  logs(worker: number): string[] {
    return driver(worker).logs
  },
  ended(worker: number): Promise<string> {
    return driver(worker).ended
  },
  sendNonsense(worker: number): Promise<string> {
    driver(worker).sendNonsense()
    return driver(worker).ended
  },
  terminate(worker: number): void {
    driver(worker).terminate()
  },
  close(): void {
    host?.close()
  },
}

export type NodeWorkerCommands = typeof commands

expose(commands)
