import { describe, expect, it } from 'vitest'
import { createPageAddress } from './page-address.ts'

function addressAt(url: string): ReturnType<typeof createPageAddress> {
  const { origin, pathname, search, hash } = new URL(url)
  const page = { location: { origin, pathname, search, hash }, history: {}, addEventListener: () => undefined }
  return createPageAddress(page as unknown as Window)
}

describe('faults in the address', () => {
  it('are none without the parameter, so that nothing is wrapped', () => {
    expect(addressAt('https://a.example/?x=1#room=y').debugOptions()).toEqual({})
  })

  it('are rules as JSON before the fragment', () => {
    const rules = [{ type: '*', action: 'delay', probability: 0.1 }]
    const address = addressAt(`https://a.example/?shoal-faults=${encodeURIComponent(JSON.stringify(rules))}#room=y`)
    expect(address.debugOptions()).toEqual({ debug: { faults: rules } })
    // A link that is handed on says nothing of them.
    expect(address.linkOf('y')).toBe('https://a.example/#room=y')
  })

  it('that are no JSON are refused by name', () => {
    expect(() => addressAt('https://a.example/?shoal-faults=drop').debugOptions()).toThrow('?shoal-faults= is no JSON')
  })
})
