import type { ComponentType, JSX } from 'preact'
import { useEffect } from 'preact/hooks'
import { usePage } from '../model/page-context.ts'
import { DEMO_OF } from '../model/page-url.ts'
import type { DemoName } from '../model/page-url.ts'
import { EsPanel } from './es/es-panel.tsx'
import { LazyPanel } from './lazy-panel.tsx'
import { MandelbrotPanel } from './mandelbrot/mandelbrot-panel.tsx'

const TITLES: readonly (readonly [DemoName, string])[] = [
  ['cartpole', 'CartPole'],
  ['pendulum', 'Pendulum'],
  ['lunar', 'LunarLander'],
  ['connect-four', 'Connect four'],
  ['mandelbrot', 'Mandelbrot'],
]

/** With its physics, which nobody else needs. */
const loadLunar = async (): Promise<ComponentType> => (await import('./lunar/lunar-panel.tsx')).LunarPanel

/** Most people come for another one. */
const loadFour = async (): Promise<ComponentType> => (await import('./connect-four/four-panel.tsx')).FourPanel

/** The demos, one at a time. Leaving one stops what it runs. */
export function Demos(): JSX.Element {
  const { address, runs } = usePage()
  const { demo } = address.url.value
  const wish = runs.wish.value
  useEffect(() => {
    if (wish !== undefined) address.change({ demo: DEMO_OF[wish] })
  }, [wish, address])
  return (
    <>
      <nav class="demos" aria-label="Demos">
        {TITLES.map(([name, title]) => (
          <button
            key={name}
            type="button"
            aria-pressed={name === demo}
            onClick={() => address.change({ demo: name, run: undefined, tabs: 1 })}
          >
            {title}
          </button>
        ))}
      </nav>
      <Demo name={demo} />
    </>
  )
}

function Demo({ name }: { readonly name: DemoName }): JSX.Element {
  switch (name) {
    case 'mandelbrot':
      return <MandelbrotPanel />
    case 'connect-four':
      return <LazyPanel key={name} load={loadFour} />
    case 'lunar':
      return <LazyPanel key={name} load={loadLunar} />
    default:
      return <EsPanel key={name} name={name} />
  }
}
