import { useComputed, useSignal } from '@preact/signals'
import type { JSX } from 'preact'
import { useEffect, useMemo, useRef } from 'preact/hooks'
import { formatBytes, formatCount } from '../../model/format.ts'
import { usePage } from '../../model/page-context.ts'
import { Readouts } from '../readouts.tsx'
import { roomTotals } from '../room-totals.ts'
import { Seed } from '../seed.tsx'
import { useAutoStart } from '../use-auto-start.ts'
import { BoardView, DiscMark } from './board-view.tsx'
import { GALLERY_SIZE } from './draw-gallery.ts'
import { FourRun } from './four-run.ts'
import type { StartOptions } from './four-run.ts'
import { FOUR_SETTINGS } from './four-settings.ts'
import { Gallery } from './gallery.ts'
import { GalleryView } from './gallery-view.tsx'
import { ValueBar, VisitMap, Waits } from './machine-view.tsx'
import { Match } from './match.ts'
import type { MatchState } from './match.ts'
import { NetworkFile } from './network-file.tsx'
import { StrengthView } from './strength-view.tsx'
import './connect-four.css'

const RUN = 'alphazero-connect-four'
const HOLD_MS = 1500
const STILL_HOLD_MS = 6000
const STRENGTHS = [
  [20, 'glances'],
  [100, 'looks ahead'],
  [800, 'looks far ahead'],
] as const

/** AlphaZero learning connect four, and a board to play against it meanwhile. */
export function FourPanel(): JSX.Element {
  const { model, runs, address } = usePage()
  const simulations = useSignal(100)
  const gallery = useMemo(() => {
    const isStill = matchMedia('(prefers-reduced-motion: reduce)').matches
    return new Gallery({ size: GALLERY_SIZE, holdMs: isStill ? STILL_HOLD_MS : HOLD_MS })
  }, [])
  const run = useMemo(() => {
    return new FourRun({
      settings: FOUR_SETTINGS,
      totals: () => roomTotals(model.currentStatus()),
      onGames: ({ nodeId, boards }) => gallery.offer(nodeId, boards),
      onReport: (report) => runs.publish(report),
      nowMs: () => performance.now(),
    })
  }, [model, gallery, runs])
  const match = useMemo(() => {
    const answer = (moves: readonly number[], stop: AbortSignal) => run.answer(moves, simulations.peek(), stop)
    return new Match({ answer, nowMs: () => performance.now() })
  }, [run, simulations])
  useEffect(
    () => () => {
      match.close()
      run.close()
    },
    [match, run],
  )

  const start = (more: Partial<StartOptions> = {}): void => {
    runs.setStopped(RUN, false)
    void run.start({ seed: address.url.peek().seed, ...more })
  }
  useAutoStart(RUN, start, () => start({ isUntilGoal: true }))

  const game = match.state.value
  // Not the whole report: that changes with every task.
  const state = useComputed(() => run.report.value?.state).value
  const isRunning = state === 'running'
  const board = useRef<HTMLDivElement>(null)
  const begin = (you: 0 | 1): void => {
    match.begin(you)
    // So that the keys of the board work at once.
    board.current?.querySelector<HTMLElement>('[tabindex="0"]')?.focus()
  }
  return (
    <section class="card demo four" aria-labelledby="demo-title">
      <div class="head">
        <h2 id="demo-title">Learns connect four</h2>
        <Seed isDisabled={isRunning} />
        {isRunning ? (
          <button
            type="button"
            class="wide"
            onClick={() => {
              runs.setStopped(RUN, true)
              run.stop()
            }}
          >
            Stop
          </button>
        ) : (
          <button type="button" class="primary wide" onClick={() => start()}>
            {state === undefined ? 'Train' : 'Train again'}
          </button>
        )}
      </div>
      <Outcome run={run} />
      <div class="four-table">
        <div class="four-play" ref={board}>
          <VisitMap answer={game.answer} />
          <BoardView match={game} onPlay={(column) => match.play(column)} />
        </div>
        <Turn match={game} onAskAgain={() => match.askAgain()} />
        <div class="four-side">
          <p class="unseen" role="status" aria-live="polite">
            {game.said}
          </p>
          <div class="actions four-new" role="group" aria-label="New game">
            <span class="soft">New game:</span>
            <button type="button" aria-label="New game, you start" onClick={() => begin(0)}>
              You start
            </button>
            <button type="button" aria-label="New game, it starts" onClick={() => begin(1)}>
              It starts
            </button>
          </div>
          <ValueBar answer={game.answer} />
          <label class="four-strength soft">
            Before a move it
            <select
              value={simulations.value}
              onChange={(event) => (simulations.value = Number(event.currentTarget.value))}
            >
              {STRENGTHS.map(([count, words]) => (
                <option key={count} value={count}>
                  {words}: {count} positions
                </option>
              ))}
            </select>
          </label>
          <Waits waits={match.waits.value} answer={game.answer} />
        </div>
      </div>
      <div>
        <h3 class="four-title">Its last games against itself</h3>
        <GalleryView gallery={gallery} />
      </div>
      <StrengthView run={run} />
      <Figures run={run} />
      <NetworkFile
        save={async () => ({
          bytes: await run.save(AbortSignal.timeout(30_000)),
          name: `connect-four-${run.progress.peek().games}-games.shoal`,
        })}
        load={(bytes) => start({ resumeFrom: run.read(bytes) })}
      />
    </section>
  )
}

function Turn({
  match: { phase, you },
  onAskAgain,
}: {
  readonly match: MatchState
  readonly onAskAgain: () => void
}): JSX.Element {
  return (
    <div class="four-turn">
      <p class="big">{phase.kind === 'over' ? ENDS[phase.winner] : TURNS[phase.kind]}</p>
      {phase.kind === 'stuck' ? (
        <p class="outcome failed">
          {phase.error}{' '}
          <button type="button" class="small" onClick={onAskAgain}>
            Ask again
          </button>
        </p>
      ) : (
        <p class="soft discs-of">
          <DiscMark disc={you + 1} /> you <DiscMark disc={2 - you} /> the machine
        </p>
      )}
    </div>
  )
}

const ENDS = { you: 'You have won.', machine: 'It has won.', nobody: 'A draw.' }
const TURNS = { yours: 'Your turn', thinking: 'It thinks …', stuck: 'It does not answer.' }

function Figures({ run }: { readonly run: FourRun }): JSX.Element {
  const { played, gamesPerSecond, positions, iteration, tabsAtWork, bytesPerIteration: bytes } = run.progress.value
  return (
    <Readouts
      items={[
        { term: 'Games played', value: formatCount(played) },
        {
          term: 'Games a second',
          value: gamesPerSecond < 10 ? gamesPerSecond.toFixed(1) : formatCount(gamesPerSecond),
        },
        { term: 'Positions learned', value: formatCount(positions) },
        { term: 'Iterations', value: formatCount(iteration) },
        { term: 'Tabs at work', value: formatCount(tabsAtWork) },
        { term: 'Bytes an iteration', value: bytes === undefined ? '–' : formatBytes(bytes) },
      ]}
    />
  )
}

const STATES = {
  none: 'It learns from nothing but the rules. Press Train, or play against one that knows nothing yet.',
  waiting: 'Waiting for tabs …',
  running: 'It plays against itself in every tab, and learns from that. Play it meanwhile.',
  stopped: 'Stopped. It still plays with what it has learned.',
  done: 'Done. It still plays with what it has learned.',
}

function Outcome({ run }: { readonly run: FourRun }): JSX.Element {
  const report = run.report.value
  if (report?.state === 'failed') {
    return (
      <p class="outcome failed" role="alert">
        The run ended with an error: {report.error}
      </p>
    )
  }
  return (
    <p class="outcome soft" role="status">
      {STATES[report?.state ?? 'none']}
    </p>
  )
}
