import { useSignal } from '@preact/signals'
import type { PpoState } from '@shoal/rl'
import { terrainCorners, terrainOf } from '@shoal/rl/lunar-lander'
import type { JSX } from 'preact'
import { useEffect, useMemo, useRef } from 'preact/hooks'
import { formatBytes, formatCount, formatReturn } from '../../model/format.ts'
import { usePage } from '../../model/page-context.ts'
import type { RunReport } from '../../model/run-report.ts'
import { CurveView } from '../curve-view.tsx'
import { Readouts } from '../readouts.tsx'
import { roomTotals } from '../room-totals.ts'
import { Seed } from '../seed.tsx'
import { useAutoStart } from '../use-auto-start.ts'
import { Wall } from '../wall.ts'
import type { Scene } from './draw-landers.ts'
import type { Flight } from './flight.ts'
import { LanderStage } from './lander-stage.tsx'
import { LunarRun } from './lunar-run.ts'
import { Pilot } from './pilot.ts'
import { PolicyFile } from './policy-file.tsx'

const NAME = 'ppo-lunar-lander'
const GHOSTS = 50
/** A little faster than life: flights are long. */
const STEPS_PER_SECOND = 75
const HOLD_MS = 700
const BOUNDS = [-300, 250] as const

/** LunarLander by PPO over whoever is in the room; a person can fly one among the agents. */
export function LunarPanel(): JSX.Element {
  const { seed } = usePage().address.url.value
  // Another seed is another ground: nothing of the one before is of use.
  return <Lunar key={seed} seed={seed} />
}

function Lunar({ seed }: { readonly seed: number }): JSX.Element {
  const { model, runs, marks } = usePage()
  const flyButton = useRef<HTMLButtonElement>(null)
  const wall = useSignal(new Wall<Flight>(GHOSTS, STEPS_PER_SECOND, HOLD_MS))
  const pilot = useMemo(() => new Pilot(seed), [seed])
  const run = useMemo(
    () =>
      new LunarRun({
        seed,
        totals: () => roomTotals(model.currentStatus()),
        onFlight: (flight) => wall.peek().offer(flight),
        onReport: (report) => runs.publish(report),
        nowMs: () => performance.now(),
      }),
    [seed, model, runs, wall],
  )
  useEffect(() => () => run.stop(), [run])
  const scene = useMemo(
    (): Scene => ({
      wall: wall.value,
      pilot,
      marks,
      ground: terrainCorners(terrainOf(seed)),
      stepsPerSecond: STEPS_PER_SECOND,
      holdMs: HOLD_MS,
    }),
    [wall.value, pilot, marks, seed],
  )

  const start = (resumeFrom?: PpoState): void => {
    wall.value = new Wall(GHOSTS, STEPS_PER_SECOND, HOLD_MS)
    runs.setStopped(NAME, false)
    void run.start(resumeFrom)
  }
  useAutoStart(NAME, start)
  const leave = (): void => {
    pilot.stop()
    flyButton.current?.focus({ preventScroll: true })
  }

  const report = run.book.report.value
  const isRunning = report?.state === 'running'
  const isManned = pilot.state.value.kind !== 'off'
  return (
    <section class="card demo" aria-labelledby="demo-title">
      <div class="head">
        <h2 id="demo-title">Land between the flags</h2>
        <Seed isDisabled={isRunning} />
        <button ref={flyButton} type="button" class="fly" onClick={() => (isManned ? leave() : pilot.start())}>
          {isManned ? 'Stop flying' : 'Fly it yourself'}
        </button>
        {isRunning ? (
          <button
            type="button"
            class="wide"
            onClick={() => {
              runs.setStopped(NAME, true)
              run.stop()
            }}
          >
            Stop
          </button>
        ) : (
          <button type="button" class="primary wide" onClick={() => start()}>
            {report === undefined ? 'Train' : 'Train again'}
          </button>
        )}
      </div>
      <LanderStage scene={scene} onLeave={leave}>
        {report === undefined && !isManned && (
          <p class="overlay">
            Each lander is one try at landing softly between the flags, in the colour of the tab that flew it. Press
            Train, and watch them learn from nothing.
          </p>
        )}
        <PilotWords pilot={pilot} mean={report?.meanReturn} />
      </LanderStage>
      <Outcome report={report} goal={run.settings.solvedReturn} />
      <CurveView
        curve={run.book.curve}
        length={run.book.curveLength.value}
        goal={run.settings.solvedReturn}
        keys={['mean return of the last 100 flights']}
        bounds={BOUNDS}
      />
      <Readouts items={figures(run, pilot, report)} />
      <PolicyFile policy={run.policy.value} settings={run.settings} seed={seed} onLoad={start} />
    </section>
  )
}

function figures(run: LunarRun, pilot: Pilot, report: RunReport | undefined): { term: string; value: string }[] {
  const bytes = run.book.bytesPerIteration.value
  return [
    { term: 'Iteration', value: formatCount(report?.iteration ?? 0) },
    { term: 'Mean of 100 flights', value: formatReturn(report?.meanReturn) },
    { term: 'Your best', value: formatReturn(pilot.best.value) },
    { term: 'Steps a second', value: formatCount(report?.stepsPerSecond ?? 0) },
    { term: 'Tabs at work', value: formatCount(run.book.tabsAtWork.value) },
    { term: 'Bytes an iteration', value: bytes === undefined ? '–' : formatBytes(bytes) },
  ]
}

const ENDS = { landed: 'You landed', crashed: 'You crashed', 'out of time': 'Out of time' } as const

/** What a person who flies has to know now. */
function PilotWords({ pilot, mean }: { readonly pilot: Pilot; readonly mean: number | undefined }): JSX.Element | null {
  const state = pilot.state.value
  if (state.kind === 'ready') {
    return (
      <p class="overlay">
        Land the white one softly between the flags. ▲ fires the main engine, ◀ and ▶ turn it; the first press begins.
      </p>
    )
  }
  if (state.kind === 'paused') return <p class="overlay">Paused. Press the picture to fly on.</p>
  if (state.kind !== 'ended') return null
  return (
    <div class="overlay ended" role="status">
      <p>
        <strong>
          {ENDS[state.outcome]}: {formatReturn(state.score)}
        </strong>
        {mean !== undefined && Number.isFinite(mean) && <> The agents’ mean is {formatReturn(mean)}.</>}
      </p>
      <button type="button" class="primary" onClick={() => pilot.start()}>
        Fly again
      </button>
    </div>
  )
}

function Outcome({ report, goal }: { readonly report: RunReport | undefined; readonly goal: number }): JSX.Element {
  if (report?.state === 'failed') {
    return (
      <p class="outcome failed" role="alert">
        The run ended with an error: {report.error}
      </p>
    )
  }
  if (report?.solved === true) {
    const tabs = Object.keys(report.byNode).length
    return (
      <p class="outcome solved" role="status">
        <strong>Solved</strong> in {formatCount(report.iteration)} iterations by{' '}
        {tabs === 1 ? 'one tab alone' : `${tabs} tabs`}: {formatReturn(report.meanReturn)} on average, and{' '}
        {formatReturn(goal)} was the goal.
      </p>
    )
  }
  const words = {
    none: '200 or more on average counts as solved.',
    waiting: 'Waiting for tabs …',
    running: 'Learning …',
    stopped: 'Stopped.',
    done: `Not solved within ${formatCount(report?.iteration ?? 0)} iterations. Another seed may do it.`,
  }
  return (
    <p class="outcome soft" role="status">
      {words[report?.state ?? 'none']}
    </p>
  )
}
