/** The EnvRunner as its actor has it: each sample says which runner made it, and where. */
import { EnvRunner } from './env-runner.ts'
import type { EnvRunnerOptions, Sample, SampleRequest } from './env-runner.ts'
import { recorded } from './task-record.ts'
import type { TaskRecord } from './task-record.ts'

export interface RecordedSample extends Sample, TaskRecord {
  /** The runner's index. */
  readonly runner: number
}

export class EnvRunnerHost extends EnvRunner {
  readonly #index: number

  constructor(options: EnvRunnerOptions) {
    super(options)
    this.#index = options.index
  }

  override sample(parameters: Float32Array, request: SampleRequest): RecordedSample {
    return { ...recorded(() => super.sample(parameters, request)), runner: this.#index }
  }
}
