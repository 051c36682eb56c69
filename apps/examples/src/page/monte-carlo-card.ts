import { estimatePi } from '../monte-carlo.ts'
import source from '../monte-carlo.ts?raw'
import { createCard, make } from './card.ts'
import type { Card } from './card.ts'

export function monteCarloCard(): Card {
  return createCard({
    id: 'monte-carlo',
    title: 'Parallel Monte Carlo',
    about: 'Estimates π from 10 million random points in 100 tasks.',
    source,
    action: 'Estimate π',
    async run(card) {
      const drawn = make('p')
      card.show(drawn)
      await estimatePi(100, 100_000, ({ pi, margin, points }) => {
        card.say(`${pi.toFixed(5)} ± ${margin.toFixed(5)}`, 'big')
        drawn.textContent = `from ${(points / 1e6).toFixed(1)} million points`
      })
    },
  })
}
