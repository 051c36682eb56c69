import { describe, expect, it } from 'vitest'
import { CloseGuard } from './close-guard.ts'

describe('the question before a page closes', () => {
  it('is asked only while it was told to', () => {
    const page = new EventTarget()
    const guard = new CloseGuard(page as unknown as Window)
    const asks = (): boolean => {
      const event = new Event('beforeunload', { cancelable: true })
      page.dispatchEvent(event)
      return event.defaultPrevented
    }
    expect(asks()).toBe(false)
    guard.set(true)
    guard.set(true)
    expect(asks()).toBe(true)
    guard.set(false)
    expect(asks()).toBe(false)
  })
})
