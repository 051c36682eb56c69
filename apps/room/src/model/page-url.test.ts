import { expect, it } from 'vitest'
import { formatPageUrl, parsePageUrl, roomPartOf } from './page-url.ts'

const EMPTY = {
  room: undefined,
  demo: 'cartpole',
  seed: 1,
  at: undefined,
  auto: undefined,
  run: undefined,
  tabs: 1,
  view: undefined,
  replay: undefined,
} as const

it('reads an empty fragment as the defaults and writes them as nothing', () => {
  expect(parsePageUrl('')).toEqual(EMPTY)
  expect(parsePageUrl('#')).toEqual(EMPTY)
  expect(formatPageUrl(EMPTY)).toBe('')
})

it('gives back what it wrote', () => {
  const url = {
    room: 'AQ_-x9',
    demo: 'mandelbrot',
    seed: 77,
    at: { x: -0.74364388703, y: 0.1318259042, width: 1.25e-9 },
    auto: 'help',
    run: 'mandelbrot',
    tabs: 4,
    view: 'dashboard',
    replay: { tabs: 50, perSecond: 5000 },
  } as const
  expect(parsePageUrl(formatPageUrl(url))).toEqual(url)
  expect(formatPageUrl({ ...EMPTY, room: 'AQ', demo: 'pendulum' })).toBe('#room=AQ&demo=pendulum')
})

it('shows the demo that a run drives', () => {
  expect(parsePageUrl('#run=es-pendulum&demo=mandelbrot').demo).toBe('pendulum')
  expect(parsePageUrl('#run=alphazero-connect-four').demo).toBe('connect-four')
  expect(parsePageUrl('#auto=make&run=es-cartpole&tabs=3')).toEqual({
    ...EMPTY,
    auto: 'make',
    run: 'es-cartpole',
    tabs: 3,
  })
})

it.each([
  '#demo=doom&seed=-1&at=1,2&auto=yes&run=constructor&tabs=0&view=all&replay=50',
  '#demo&seed=99999999999&at=0,0,9&auto=&run=&tabs=x',
  '#seed=4294967296&at=NaN,0,1&tabs=1e3&replay=0x1',
])('reads nonsense as absent: %s', (fragment) => {
  expect(parsePageUrl(fragment)).toEqual(EMPTY)
})

it('keeps a damaged room part, so that it can be told apart from no room', () => {
  expect(parsePageUrl('#room=').room).toBe('')
  expect(parsePageUrl('#room=%%%&demo=pendulum').room).toBe('%%%')
})

it('takes the room part out of a link', () => {
  expect(roomPartOf('http://192.168.1.7:8080/#room=AbC&x=1')).toBe('AbC')
  expect(roomPartOf('http://192.168.1.7:8080/')).toBeUndefined()
})
