import { expect, it } from 'vitest'
import { HelperTabs, mayHelpUnasked } from './helper-tabs.ts'

const windowOf = (more: object): Window => more as unknown as Window

it('lets a tab lend unasked under a program, or once when the page that opened it says so', () => {
  const opened: Window[] = []
  const tabs = new HelperTabs(() => opened[0] ?? null)
  expect(tabs.open('x')).toBe(false)
  const opener = { __shoal__: { vouchFor: (asking: Window) => tabs.vouchFor(asking) } }
  const helper = windowOf({ navigator: { webdriver: false }, opener })
  // Somebody else's link in a page of the same site.
  expect(mayHelpUnasked(helper)).toBe(false)
  opened.push(helper)
  expect(tabs.open('x')).toBe(true)
  expect(mayHelpUnasked(helper)).toBe(true)
  // It was loaded anew.
  expect(mayHelpUnasked(helper)).toBe(false)
  expect(mayHelpUnasked(windowOf({ navigator: { webdriver: true }, opener: null }))).toBe(true)
  expect(mayHelpUnasked(windowOf({ navigator: { webdriver: false }, opener: null }))).toBe(false)
  const foreign = {
    get __shoal__(): unknown {
      throw new Error('cross-origin')
    },
  }
  expect(mayHelpUnasked(windowOf({ navigator: { webdriver: false }, opener: foreign }))).toBe(false)
})

it('knows which node is in which window, and closes it', () => {
  const it = { closed: false, close: () => (it.closed = true), __shoal__: { status: () => ({ nodeId: 'a' }) } }
  const tabs = new HelperTabs(() => windowOf(it))
  tabs.open('x')
  tabs.look()
  expect([...tabs.nodes.value.keys()]).toEqual(['a'])
  expect(tabs.kill('b')).toBe(false)
  expect(tabs.kill('a')).toBe(true)
  expect(it.closed).toBe(true)
  tabs.look()
  expect(tabs.nodes.value.size).toBe(0)
})
