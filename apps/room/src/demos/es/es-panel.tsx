import { signal } from '@preact/signals'
import type { EsSettingsName } from '@shoal/rl'
import type { JSX } from 'preact'
import { useEffect, useMemo } from 'preact/hooks'
import { formatBytes, formatCount, formatReturn } from '../../model/format.ts'
import { usePage } from '../../model/page-context.ts'
import type { RunReport } from '../../model/run-report.ts'
import { CurveView } from '../curve-view.tsx'
import { Readouts } from '../readouts.tsx'
import { roomTotals } from '../room-totals.ts'
import { Seed } from '../seed.tsx'
import { useAutoStart } from '../use-auto-start.ts'
import { Wall } from '../wall.ts'
import { EsRun } from './es-run.ts'
import { CART_POLE_SKETCH, LEAST_CELLS, MOST_CELLS, PENDULUM_SKETCH } from './draw-wall.ts'
import { WallView } from './wall-view.tsx'

const SCENES = {
  // Faster than life, so that a whole episode is seen in a few seconds.
  cartpole: {
    sketch: CART_POLE_SKETCH,
    stepsPerSecond: 120,
    title: 'Balance the pole',
    text: 'Each picture is one try at balancing a pole, coloured by the tab that ran it. The bar grows while the pole stands.',
    bounds: [0, 500],
  },
  pendulum: {
    sketch: PENDULUM_SKETCH,
    stepsPerSecond: 60,
    title: 'Swing up and stay there',
    text: 'Each picture is one try at swinging a weight up and holding it, coloured by the tab that ran it. It glows where the weight is up.',
    bounds: [-1600, 0],
  },
} as const

/** Evolution strategies on one environment: the wall of episodes, the learning curve, the figures. */
export function EsPanel({ name }: { readonly name: EsSettingsName }): JSX.Element {
  const { model, runs, address } = usePage()
  const scene = SCENES[name]
  const wall = useMemo(() => signal(new Wall(MOST_CELLS, scene.stepsPerSecond)), [scene])
  const run = useMemo(() => {
    return new EsRun({
      name,
      totals: () => roomTotals(model.currentStatus()),
      onEpisode: (episode) => wall.peek().offer(episode),
      onReport: (report) => runs.publish(report),
      nowMs: () => performance.now(),
    })
  }, [name, model, wall, runs])
  useEffect(() => () => run.stop(), [run])

  const start = (): void => {
    wall.value = new Wall(MOST_CELLS, scene.stepsPerSecond)
    runs.setStopped(`es-${name}`, false)
    void run.start(address.url.peek().seed)
  }
  const stop = (): void => {
    runs.setStopped(`es-${name}`, true)
    run.stop()
  }
  useAutoStart(`es-${name}`, start)

  const report = run.book.report.value
  const isRunning = report?.state === 'running'
  return (
    <section class="card demo" aria-labelledby="demo-title">
      <div class="head">
        <h2 id="demo-title">{scene.title}</h2>
        <Seed isDisabled={isRunning} />
        {isRunning ? (
          <button type="button" class="wide" onClick={stop}>
            Stop
          </button>
        ) : (
          <button type="button" class="primary wide" onClick={start}>
            {report === undefined ? 'Train' : 'Train again'}
          </button>
        )}
      </div>
      <WallView wall={wall.value} sketch={scene.sketch} label={`${LEAST_CELLS} tries at a time`}>
        {report === undefined && <p class="overlay">{scene.text} Press Train, and watch it learn from nothing.</p>}
      </WallView>
      {report !== undefined && <Outcome report={report} goal={run.settings.solvedReturn} />}
      <CurveView
        curve={run.book.curve}
        length={run.book.curveLength.value}
        goal={run.settings.solvedReturn}
        keys={['mean return of all tries', 'test of the policy']}
        bounds={scene.bounds}
      />
      <Readouts items={figures(run, report)} />
    </section>
  )
}

function figures(run: EsRun, report: RunReport | undefined): { term: string; value: string }[] {
  const bytes = run.book.bytesPerIteration.value
  return [
    { term: 'Iteration', value: formatCount(report?.iteration ?? 0) },
    { term: 'Mean return', value: formatReturn(report?.meanReturn) },
    { term: 'Test return', value: formatReturn(report?.evalReturn) },
    { term: 'Steps a second', value: formatCount(report?.stepsPerSecond ?? 0) },
    { term: 'Tabs at work', value: formatCount(run.book.tabsAtWork.value) },
    { term: 'Bytes an iteration', value: bytes === undefined ? '–' : formatBytes(bytes) },
  ]
}

function Outcome({ report, goal }: { readonly report: RunReport; readonly goal: number }): JSX.Element {
  if (report.state === 'failed') {
    return (
      <p class="outcome failed" role="alert">
        The run ended with an error: {report.error}
      </p>
    )
  }
  if (report.solved) {
    const tabs = Object.keys(report.byNode).length
    return (
      <p class="outcome solved" role="status">
        <strong>Solved</strong> in {formatCount(report.iteration)} iterations by{' '}
        {tabs === 1 ? 'one tab alone' : `${tabs} tabs`}: {formatReturn(report.evalReturn)} in the test, and{' '}
        {formatReturn(goal)} was the goal.
      </p>
    )
  }
  const words = {
    waiting: 'Waiting for tabs …',
    running: 'Learning …',
    stopped: 'Stopped.',
    done: `Not solved within ${formatCount(report.iteration)} iterations. Another seed may do it.`,
  }
  return (
    <p class="outcome soft" role="status">
      {words[report.state]}
    </p>
  )
}
