import { useSignal } from '@preact/signals'
import { decodeLearner, encodeLearner, PpoLearner } from '@shoal/rl'
import type { PpoSettings, PpoState } from '@shoal/rl'
import type { JSX } from 'preact'
import { useRef } from 'preact/hooks'
import { messageOf } from '../../model/message-of.ts'

/** A policy has some 30 kB: what is much larger is another kind of file, and is not read. */
const MOST_BYTES = 1_000_000

export interface PolicyFileProps {
  readonly policy: PpoState | undefined
  readonly settings: PpoSettings
  readonly seed: number
  /** A policy that fits was chosen. */
  readonly onLoad: (state: PpoState) => void
}

/** What was learned, to a file and back. */
export function PolicyFile({ policy, settings, seed, onLoad }: PolicyFileProps): JSX.Element {
  const input = useRef<HTMLInputElement>(null)
  const problem = useSignal('')
  const save = (): void => {
    if (policy === undefined) return
    const bytes = encodeLearner('ppo', policy, { env: settings.module.env, hidden: settings.module.hidden, seed })
    const url = URL.createObjectURL(new Blob([bytes], { type: 'application/octet-stream' }))
    const link = document.createElement('a')
    link.href = url
    link.download = `lunar-lander-${policy.updates}.shoal`
    link.click()
    URL.revokeObjectURL(url)
  }
  const load = async (file: File | undefined): Promise<void> => {
    if (file === undefined) return
    problem.value = ''
    try {
      onLoad(await readPolicy(file, settings, seed))
    } catch (error) {
      problem.value = `${file.name} is no policy for this lander: ${messageOf(error)}`
    }
  }
  return (
    <div class="policy">
      <button type="button" class="small" disabled={policy === undefined} onClick={save}>
        Save policy
      </button>
      <button type="button" class="small" onClick={() => input.current?.click()}>
        Load policy
      </button>
      <input
        ref={input}
        type="file"
        accept=".shoal"
        hidden
        aria-label="Policy file"
        onChange={(event) => {
          void load(event.currentTarget.files?.[0])
          // So that the same file can be chosen again.
          event.currentTarget.value = ''
        }}
      />
      <span class="soft" role="status">
        {problem.value === '' ? 'Training goes on from a policy that is loaded.' : problem.value}
      </span>
    </div>
  )
}

async function readPolicy(file: File, settings: PpoSettings, seed: number): Promise<PpoState> {
  if (file.size > MOST_BYTES) throw new RangeError('it is too large')
  const state = decodeLearner<PpoState>('ppo', new Uint8Array(await file.arrayBuffer()))
  // Refuses what has another number of parameters.
  return new PpoLearner(settings, seed, state).getState()
}
