import type { ComponentChildren, JSX } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import { useElementWidth } from '../../components/use-element-width.ts'
import { plural } from '../../model/format.ts'
import { drawLanders } from './draw-landers.ts'
import type { Scene } from './draw-landers.ts'
import type { Control } from './pilot.ts'

const STILL_EVERY_MS = 1000
const MOST_HEIGHT = 372
const NARROW = 520
const BUTTONS_HEIGHT = 32
const KEYS: Readonly<Record<string, Control>> = {
  ArrowLeft: 'left',
  ArrowUp: 'main',
  ArrowRight: 'right',
  KeyA: 'left',
  KeyW: 'main',
  KeyD: 'right',
  Space: 'main',
}
/** Would scroll the page while somebody flies. */
const IDLE_KEYS = ['ArrowDown', 'KeyS', 'PageUp', 'PageDown']

/**
 * The picture, drawn once a frame and not at all while the page is hidden, with a person's hands on it: keys while it has
 * the focus, and the buttons over it. For people who asked for less motion the ghosts are still pictures of the newest ends,
 * once a second; their own lander flies.
 */
export function LanderStage({
  scene,
  onLeave,
  children,
}: {
  readonly scene: Scene
  /** The person at the keys wants to stop flying. */
  readonly onLeave: () => void
  /** Over the canvas. */
  readonly children?: ComponentChildren
}): JSX.Element {
  const [frame, width] = useElementWidth<HTMLDivElement>()
  const canvas = useRef<HTMLCanvasElement>(null)
  const { pilot, wall } = scene
  const state = pilot.state.value
  const isManned = state.kind !== 'off'
  const isReady = state.kind === 'ready'
  const flightsLabel = `${wall.shown} of the room’s newest flights, by ${plural(wall.tabs.size, 'tab')}`
  // The world's own shape on a phone, with ground under it for the engines' buttons; on a desktop it leaves room for the curve.
  const below = width < NARROW ? BUTTONS_HEIGHT : 0
  const height = Math.min(MOST_HEIGHT, Math.round(width / 1.4) + below)

  useEffect(() => {
    const context = canvas.current?.getContext('2d')
    if (context === null || context === undefined || width === 0) return undefined
    const scale = Math.min(2, devicePixelRatio)
    context.canvas.width = Math.round(width * scale)
    context.canvas.height = Math.round(height * scale)
    const isStill = matchMedia('(prefers-reduced-motion: reduce)')
    let lastStillMs = Number.NEGATIVE_INFINITY
    const draw = (nowMs: number): void => {
      request = requestAnimationFrame(draw)
      pilot.advance(nowMs)
      if (!isStill.matches) wall.advance(nowMs)
      else if (nowMs - lastStillMs >= STILL_EVERY_MS) {
        lastStillMs = nowMs
        wall.showNewest(nowMs)
      }
      context.setTransform(scale, 0, 0, scale, 0, 0)
      drawLanders(context, { width, height, below }, scene, isStill.matches ? lastStillMs : nowMs)
    }
    let request = requestAnimationFrame(draw)
    return () => cancelAnimationFrame(request)
  }, [scene, pilot, wall, width, height, below])

  useEffect(() => {
    if (isReady) canvas.current?.focus({ preventScroll: true })
  }, [isReady])

  const onKey = (event: KeyboardEvent): void => {
    if (!isManned || event.ctrlKey || event.metaKey || event.altKey) return
    const isDown = event.type === 'keydown'
    if (isDown && event.code === 'Escape') return onLeave()
    if (isDown && event.code === 'Enter' && state.kind === 'ended') return pilot.start()
    const control = KEYS[event.code]
    if (control === undefined && !IDLE_KEYS.includes(event.code)) return
    event.preventDefault()
    if (control !== undefined) pilot.hold(control, isDown)
    else if (isDown) pilot.begin()
  }

  return (
    <div class="stage" ref={frame} style={{ height: `${height}px` }}>
      <canvas
        ref={canvas}
        {...(isManned ? { tabIndex: 0, role: 'application' } : { role: 'img' })}
        aria-label={
          isManned
            ? 'Your lander. Up fires the main engine, left and right turn it: the first key begins. Enter flies again, Escape stops.'
            : flightsLabel
        }
        class="flyable"
        style={{ width: `${width}px`, height: `${height}px` }}
        onKeyDown={onKey}
        onKeyUp={onKey}
        onFocus={() => pilot.resume()}
        onBlur={() => pilot.pause()}
      />
      {children}
      {isManned && state.kind !== 'ended' && <Controls hold={(control, isHeld) => pilot.hold(control, isHeld)} />}
    </div>
  )
}

const BUTTONS: readonly (readonly [Control, string, string])[] = [
  ['left', '◀', 'Turn left'],
  ['main', '▲', 'Main engine'],
  ['right', '▶', 'Turn right'],
]

/** For fingers. They leave the focus where it is, with the keys. */
function Controls({ hold }: { readonly hold: (control: Control, isHeld: boolean) => void }): JSX.Element {
  return (
    <div class="engines">
      {BUTTONS.map(([control, text, label]) => (
        <button
          key={control}
          type="button"
          aria-label={label}
          tabIndex={-1}
          onPointerDown={(event) => {
            event.preventDefault()
            event.currentTarget.setPointerCapture(event.pointerId)
            hold(control, true)
          }}
          onPointerUp={() => hold(control, false)}
          onPointerCancel={() => hold(control, false)}
          onMouseDown={(event) => event.preventDefault()}
          onContextMenu={(event) => event.preventDefault()}
        >
          {text}
        </button>
      ))}
    </div>
  )
}
