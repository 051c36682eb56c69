import { sweep } from '../hyper-parameter-sweep.ts'
import type { Trial } from '../hyper-parameter-sweep.ts'
import source from '../hyper-parameter-sweep.ts?raw'
import { createCard, make } from './card.ts'
import type { Card } from './card.ts'

const RATES = [0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.2, 0.3, 0.5, 1]
const ROUNDS = 6

export function sweepCard(): Card {
  return createCard({
    id: 'sweep',
    title: 'Hyper-parameter sweep',
    about: 'Trains ten learning rates side by side and stops the worse ones early.',
    source,
    action: 'Start the sweep',
    async run(card) {
      const trials = new Map<number, Trial>()
      const draw = (): void => card.show(tableOf([...trials.values()].sort(byLoss)))
      const done = await sweep(RATES, ROUNDS, 200, (trial) => {
        trials.set(trial.rate, trial)
        card.say(`${[...trials.values()].filter(({ state }) => state === 'running').length} trials are training`)
        draw()
      })
      const [best] = done
      const stopped = done.filter(({ state }) => state === 'stopped').length
      card.say(`The best rate is ${best?.rate ?? '?'}; ${stopped} of ${done.length} trials were stopped early.`)
    },
  })
}

function byLoss(a: Trial, b: Trial): number {
  return b.round - a.round || a.loss - b.loss
}

function tableOf(trials: readonly Trial[]): HTMLTableElement {
  const table = make('table')
  const head = table.createTHead().insertRow()
  for (const title of ['Rate', 'Rounds', 'Error', '']) head.append(make('th', { textContent: title, scope: 'col' }))
  const body = table.createTBody()
  for (const { rate, round, loss, state } of trials) {
    const row = body.insertRow()
    row.className = `is-${state}`
    for (const text of [String(rate), `${round} of ${ROUNDS}`, loss < 100 ? loss.toFixed(4) : 'diverged', state])
      row.insertCell().textContent = text
  }
  return table
}
