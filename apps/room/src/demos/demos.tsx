import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { usePage } from '../model/page-context.ts'
import { DEMO_OF } from '../model/page-url.ts'
import type { DemoName } from '../model/page-url.ts'
import { FourDemo } from './connect-four/four-demo.tsx'
import { EsPanel } from './es/es-panel.tsx'
import { MandelbrotPanel } from './mandelbrot/mandelbrot-panel.tsx'

const TITLES: readonly (readonly [DemoName, string])[] = [
  ['cartpole', 'CartPole'],
  ['pendulum', 'Pendulum'],
  ['connect-four', 'Connect four'],
  ['mandelbrot', 'Mandelbrot'],
]

/** The demos, one at a time. Leaving one stops what it runs. */
export function Demos(): JSX.Element {
  const { address, runs } = usePage()
  const { demo } = address.url.value
  const wish = runs.wish.value
  const [isFourStopped, stopFour] = useState(false)
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
      {demo === 'mandelbrot' ? (
        <MandelbrotPanel />
      ) : demo === 'connect-four' ? (
        <FourDemo isStopped={isFourStopped} onStopped={stopFour} />
      ) : (
        <EsPanel key={demo} name={demo} />
      )}
    </>
  )
}
