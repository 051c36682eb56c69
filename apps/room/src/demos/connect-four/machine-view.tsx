import type { JSX } from 'preact'
import { TabChip } from '../../components/tab-chip.tsx'
import { formatDuration } from '../../model/format.ts'
import { COLUMNS } from './board.ts'
import { quantile } from './match.ts'
import type { Answered } from './match.ts'

/** How often the machine looked at each column before its last move: a bar above each column of the board. */
export function VisitMap({ answer }: { readonly answer: Answered | undefined }): JSX.Element {
  const visits = [...(answer?.visits ?? new Int32Array(COLUMNS))]
  const total = visits.reduce((sum, count) => sum + count, 0)
  const shares = visits.map((count) => (total === 0 ? 0 : count / total))
  const words = shares.map((share, column) => `column ${column + 1}: ${percent(share)}`)
  return (
    <div
      class="four-visits"
      role="img"
      aria-label={total === 0 ? 'The machine has not moved yet.' : `Where the machine looked: ${words.join(', ')}.`}
    >
      {shares.map((share, column) => (
        <div key={column} class={column === answer?.move && total > 0 ? 'visit chosen' : 'visit'}>
          <span class="bar" style={{ '--share': share }} />
          <span class="share">{total === 0 ? '' : percent(share)}</span>
        </div>
      ))}
    </div>
  )
}

/** What the machine expects of the game, from a certain loss to a certain win. */
export function ValueBar({ answer }: { readonly answer: Answered | undefined }): JSX.Element {
  const value = Math.max(-1, Math.min(1, answer?.value ?? 0))
  const signed = `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(2)}`
  return (
    <div class="four-value">
      <p class="soft">
        It expects <strong>{answer === undefined ? '–' : signed}</strong>
      </p>
      <div
        class="scale"
        role="meter"
        aria-label="What the machine expects, from −1, it loses, to +1, it wins"
        aria-valuemin={-1}
        aria-valuemax={1}
        aria-valuenow={Number(value.toFixed(2))}
        aria-valuetext={answer === undefined ? 'nothing yet' : signed}
      >
        <span class="fill" style={{ left: `${50 + Math.min(0, value) * 50}%`, width: `${Math.abs(value) * 50}%` }} />
      </div>
      <p class="ends soft" aria-hidden="true">
        <span>−1 you win</span>
        <span>+1 it wins</span>
      </p>
    </div>
  )
}

const MOST_BARS = 24

/** How long its answers took, each a bar, and where the last one came from. */
export function Waits({
  waits,
  answer,
}: {
  readonly waits: readonly number[]
  readonly answer: Answered | undefined
}): JSX.Element {
  const shown = waits.slice(-MOST_BARS)
  const most = Math.max(1, ...shown)
  const [median, p95] = [quantile(waits, 0.5), quantile(waits, 0.95)]
  return (
    <div class="four-waits">
      <p class="soft">
        Answers: <strong>{median === undefined ? '–' : formatDuration(median)}</strong>, 95 % within{' '}
        <strong>{p95 === undefined ? '–' : formatDuration(p95)}</strong>
      </p>
      <div class="bars" aria-hidden="true">
        {Array.from({ length: MOST_BARS }, (_, i) => {
          const wait = shown[i - MOST_BARS + shown.length]
          return <span key={i} style={{ '--height': wait === undefined ? 0 : wait / most }} />
        })}
      </div>
      <p class="soft from">
        {answer === undefined ? (
          'The machine answers from any tab of the room.'
        ) : (
          <>
            Last one from <TabChip nodeId={answer.nodeId} />, {formatDuration(answer.searchMs)} of it search
          </>
        )}
      </p>
    </div>
  )
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`
}
