/**
 * What the page keeps in the URL's fragment, so that a reload or a shared link brings the same page back. The room part is
 * the SDK's and goes through unread.
 *
 * `auto`, `run` and `tabs` are for programs (the command line runner, end-to-end tests): `auto=make` makes a room without a
 * click, `auto=help` lends without a click (see helper-tabs.ts for where), `run=NAME` drives that demo, making a room when
 * the link has none, once `tabs` tabs lend (20 s at most).
 *
 * `view=dashboard` shows the dashboard; with `replay=50x5000` of a made-up room of 50 tabs that ends 5,000 tasks a second.
 */
export type DemoName = 'cartpole' | 'pendulum' | 'lunar' | 'connect-four' | 'mandelbrot'
export type RunName = 'es-cartpole' | 'es-pendulum' | 'ppo-lunar-lander' | 'alphazero-connect-four' | 'mandelbrot'

export interface ViewAt {
  readonly x: number
  readonly y: number
  /** Of the whole picture, in the plane's units. */
  readonly width: number
}

export interface PageUrl {
  readonly room: string | undefined
  readonly demo: DemoName
  readonly seed: number
  readonly at: ViewAt | undefined
  readonly auto: 'help' | 'make' | undefined
  readonly run: RunName | undefined
  readonly tabs: number
  readonly view: 'dashboard' | undefined
  readonly replay: Replay | undefined
}

export interface Replay {
  readonly tabs: number
  readonly perSecond: number
}

const DEMOS: readonly string[] = ['cartpole', 'pendulum', 'lunar', 'connect-four', 'mandelbrot'] satisfies DemoName[]
/** The demo that a run is of. */
export const DEMO_OF: Readonly<Record<RunName, DemoName>> = {
  'es-cartpole': 'cartpole',
  'es-pendulum': 'pendulum',
  'ppo-lunar-lander': 'lunar',
  'alphazero-connect-four': 'connect-four',
  mandelbrot: 'mandelbrot',
}
const MAX_SEED = 0xffff_ffff

/** Reads a fragment, with or without `#`. What makes no sense is as if it were absent. */
export function parsePageUrl(fragment: string): PageUrl {
  const parts = new Map<string, string>()
  for (const part of fragment.replace(/^#/, '').split('&')) {
    const at = part.indexOf('=')
    if (at > 0) parts.set(part.slice(0, at), part.slice(at + 1))
  }
  const runText = parts.get('run')
  const run = runText !== undefined && Object.hasOwn(DEMO_OF, runText) ? (runText as RunName) : undefined
  const demo = parts.get('demo')
  const auto = parts.get('auto')
  return {
    room: parts.get('room'),
    demo:
      run !== undefined ? DEMO_OF[run] : demo !== undefined && DEMOS.includes(demo) ? (demo as DemoName) : 'cartpole',
    seed: wholeNumber(parts.get('seed'), MAX_SEED) ?? 1,
    at: viewAt(parts.get('at')),
    auto: auto === 'help' || auto === 'make' ? auto : undefined,
    run,
    tabs: Math.max(1, wholeNumber(parts.get('tabs'), 1000) ?? 1),
    view: parts.get('view') === 'dashboard' ? 'dashboard' : undefined,
    replay: replayOf(parts.get('replay')),
  }
}

/** The fragment with its `#`; empty when there is nothing to say. Defaults are left out. */
export function formatPageUrl(url: PageUrl): string {
  const parts: string[] = []
  if (url.room !== undefined) parts.push(`room=${url.room}`)
  if (url.demo !== 'cartpole') parts.push(`demo=${url.demo}`)
  if (url.seed !== 1) parts.push(`seed=${url.seed}`)
  if (url.at !== undefined && url.demo === 'mandelbrot') parts.push(`at=${url.at.x},${url.at.y},${url.at.width}`)
  if (url.auto !== undefined) parts.push(`auto=${url.auto}`)
  if (url.run !== undefined) parts.push(`run=${url.run}`)
  if (url.tabs !== 1) parts.push(`tabs=${url.tabs}`)
  if (url.view !== undefined) parts.push(`view=${url.view}`)
  if (url.replay !== undefined) parts.push(`replay=${url.replay.tabs}x${url.replay.perSecond}`)
  return parts.length === 0 ? '' : `#${parts.join('&')}`
}

/** The room part of a link that the SDK made, without the rest. */
export function roomPartOf(link: string): string | undefined {
  const hash = link.indexOf('#')
  return hash < 0 ? undefined : parsePageUrl(link.slice(hash)).room
}

function wholeNumber(text: string | undefined, max: number): number | undefined {
  if (text === undefined || !/^\d{1,10}$/.test(text)) return undefined
  const value = Number(text)
  return value <= max ? value : undefined
}

function replayOf(text: string | undefined): Replay | undefined {
  const [tabs, perSecond, more] = text?.split('x').map((part, at) => wholeNumber(part, at === 0 ? 200 : 50_000)) ?? []
  if (tabs === undefined || perSecond === undefined || more !== undefined || tabs < 1 || perSecond < 1) return undefined
  return { tabs, perSecond }
}

function viewAt(text: string | undefined): ViewAt | undefined {
  const numbers = text?.split(',').map(Number)
  if (numbers?.length !== 3 || !numbers.every((value) => Number.isFinite(value))) return undefined
  const [x = 0, y = 0, width = 0] = numbers
  return width > 0 && width <= 8 && Math.abs(x) <= 4 && Math.abs(y) <= 4 ? { x, y, width } : undefined
}
