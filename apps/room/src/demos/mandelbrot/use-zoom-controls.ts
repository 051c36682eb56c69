import type { RefObject } from 'preact'
import { useRef } from 'preact/hooks'
import type { ViewAt } from '../../model/page-url.ts'
import { HOME, pan, zoom } from './view.ts'

export interface ZoomControls {
  /** Goes to a view, showing the old picture moved and scaled until its tiles come. */
  show(next: ViewAt): void
  readonly handlers: {
    onPointerDown(event: PointerEvent): void
    onPointerMove(event: PointerEvent): void
    onPointerUp(event: PointerEvent): void
    onPointerCancel(): void
    onWheel(event: WheelEvent): void
    onKeyDown(event: KeyboardEvent): void
  }
}

/** Below it, in CSS pixels, a press that moved is still a click. */
const CLICK_SLOP = 5
const KEY_PAN = 0.2
/** Wheels and pads send many small steps: one zoom for each so much of them. */
const WHEEL_STEP = 60

/** Click, drag, wheel and keys over the picture. A finger taps to zoom and otherwise scrolls the page. */
export function useZoomControls(
  canvas: RefObject<HTMLCanvasElement>,
  view: ViewAt,
  aspect: number,
  go: (view: ViewAt) => void,
): ZoomControls {
  const press = useRef<{ x: number; y: number; isDrag: boolean } | undefined>(undefined)
  const wheel = useRef(0)

  const show = (next: ViewAt): void => {
    if (canvas.current !== null) preview(canvas.current, view, next, aspect)
    go(next)
  }
  const shares = (event: MouseEvent): readonly [number, number] => {
    const box = canvas.current?.getBoundingClientRect()
    if (box === undefined) return [0.5, 0.5]
    return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height]
  }
  const moveBy = (x: number, y: number): void => {
    if (canvas.current !== null) canvas.current.style.transform = x === 0 && y === 0 ? '' : `translate(${x}px, ${y}px)`
  }

  return {
    show,
    handlers: {
      onPointerDown(event) {
        if (event.button !== 0) return
        press.current = { x: event.clientX, y: event.clientY, isDrag: false }
        if (event.pointerType !== 'touch') canvas.current?.setPointerCapture(event.pointerId)
      },
      onPointerMove(event) {
        const from = press.current
        if (from === undefined || event.pointerType === 'touch') return
        const [x, y] = [event.clientX - from.x, event.clientY - from.y]
        from.isDrag ||= Math.hypot(x, y) > CLICK_SLOP
        if (from.isDrag) moveBy(x, y)
      },
      onPointerUp(event) {
        const from = press.current
        press.current = undefined
        if (from === undefined) return
        moveBy(0, 0)
        const box = canvas.current?.getBoundingClientRect()
        if (from.isDrag && box !== undefined) {
          show(pan(view, (from.x - event.clientX) / box.width, (from.y - event.clientY) / box.height, aspect))
        } else {
          show(zoom(view, event.shiftKey ? 2 : 0.4, ...shares(event), aspect))
        }
      },
      onPointerCancel() {
        press.current = undefined
        moveBy(0, 0)
      },
      onWheel(event) {
        // Without a modifier the page scrolls: a picture that swallows the wheel traps people on the way down.
        if (!event.ctrlKey && !event.metaKey && document.activeElement !== canvas.current) return
        event.preventDefault()
        wheel.current += event.deltaY
        if (Math.abs(wheel.current) < WHEEL_STEP) return
        const factor = wheel.current > 0 ? 1.5 : 1 / 1.5
        wheel.current = 0
        show(zoom(view, factor, ...shares(event), aspect))
      },
      onKeyDown(event) {
        const next = afterKey(event.key, view, aspect)
        if (next === undefined || event.ctrlKey || event.metaKey || event.altKey) return
        event.preventDefault()
        show(next)
      },
    },
  }
}

/** The view after a key, undefined for keys that mean nothing here. */
function afterKey(key: string, view: ViewAt, aspect: number): ViewAt | undefined {
  switch (key) {
    case '+':
    case '=':
    case 'Enter':
      return zoom(view, 0.5, 0.5, 0.5, aspect)
    case '-':
      return zoom(view, 2, 0.5, 0.5, aspect)
    case '0':
      return HOME
    case 'ArrowLeft':
      return pan(view, -KEY_PAN, 0, aspect)
    case 'ArrowRight':
      return pan(view, KEY_PAN, 0, aspect)
    case 'ArrowUp':
      return pan(view, 0, -KEY_PAN, aspect)
    case 'ArrowDown':
      return pan(view, 0, KEY_PAN, aspect)
    default:
      return undefined
  }
}

/** Redraws the picture of `from` where it lies in `to`, dimmed: better than a blank while tiles come. */
function preview(canvas: HTMLCanvasElement, from: ViewAt, to: ViewAt, aspect: number): void {
  const context = canvas.getContext('2d')
  if (context === null) return
  const { width, height } = canvas
  const scale = from.width / to.width
  const left = ((from.x - to.x) / to.width + 0.5) * width - (width * scale) / 2
  const top = (((from.y - to.y) * aspect) / to.width + 0.5) * height - (height * scale) / 2
  const old = new OffscreenCanvas(width, height)
  old.getContext('2d')?.drawImage(canvas, 0, 0)
  context.fillStyle = '#0c141b'
  context.fillRect(0, 0, width, height)
  context.globalAlpha = 0.6
  context.drawImage(old, left, top, width * scale, height * scale)
  context.globalAlpha = 1
}
