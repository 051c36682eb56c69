import { learnConnectFour } from '../learn-connect-four.ts'
import source from '../learn-connect-four.ts?raw'
import { createCard, make } from './card.ts'
import type { Card } from './card.ts'

export function connectFourCard(): Card {
  return createCard({
    id: 'connect-four',
    title: 'Learning connect four',
    about: 'Games against itself, a network that learns from them and one that is served: AlphaZero in one graph.',
    source,
    action: 'Learn',
    async run(card) {
      const rows = make('ol')
      card.show(rows)
      await learnConnectFour({ rounds: 32, tasks: 4 }, ({ games, policyLoss, match }) => {
        card.say(`${match.wins} of ${match.wins + match.draws + match.losses} won against chance`, 'big')
        const text = `${games} games seen, loss ${policyLoss.toFixed(3)}, ${match.wins} won`
        rows.append(make('li', { textContent: text }))
      })
    },
  })
}
