import './style.css'
import { connectFourCard } from './page/connect-four-card.ts'
import { gpuCard } from './page/gpu-card.ts'
import { imageCard } from './page/image-card.ts'
import { monteCarloCard } from './page/monte-carlo-card.ts'
import { isHelper, startTab } from './page/more-tabs.ts'
import { searchCard } from './page/search-card.ts'
import { sweepCard } from './page/sweep-card.ts'

const byId = (id: string): HTMLElement => {
  const element = document.getElementById(id)
  if (element === null) throw new Error(`the page has no #${id}`)
  return element
}

// A helper's link does not let a tab submit: it has the badge instead of the examples.
if (!isHelper) {
  document.querySelector('shoal-badge')?.remove()
  byId('cards').append(
    ...[monteCarloCard(), sweepCard(), imageCard(), searchCard(), gpuCard(), connectFourCard()].map(
      ({ element }) => element,
    ),
  )
}
const state = byId('tab-state')
startTab(state, byId('invite')).catch((error: unknown) => {
  state.textContent = error instanceof Error ? error.message : String(error)
})
