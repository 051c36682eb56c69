import { PermissionError } from '@shoal/protocol'
import { describe, expect, it } from 'vitest'
import { roleOf } from './role.ts'

describe('the role of a tab', () => {
  it('[SL4] follows from its link where none was asked for', () => {
    expect(roleOf({}, undefined)).toBe('both')
    expect(roleOf({}, 'owner')).toBe('both')
    expect(roleOf({}, 'helper')).toBe('helper')
    expect(roleOf({ role: 'helper' }, 'owner')).toBe('helper')
    expect(roleOf({ role: 'driver' }, 'owner')).toBe('driver')
    expect(roleOf({ role: 'driver', lend: false }, undefined)).toBe('driver')
  })

  it('[SL4] is refused where the link or another option contradicts it', () => {
    expect(() => roleOf({ role: 'helper' }, undefined)).toThrow(RangeError)
    expect(() => roleOf({ role: 'driver', lend: true }, 'owner')).toThrow(RangeError)
    expect(() => roleOf({ role: 'driver' }, 'helper')).toThrow(PermissionError)
    expect(() => roleOf({ role: 'both' }, 'helper')).toThrow('owner link')
  })
})
