import { describe, expect, it } from 'vitest'
import { areSameOptions, copyOptions } from './same-options.ts'

describe('options that say the same', () => {
  it('[SS3] do so in any order of their keys, at any depth', () => {
    const ice = { urls: ['turn:a', 'turn:b'], username: 'u' }
    expect(areSameOptions({ room: 'x', workers: 2 }, { workers: 2, room: 'x' })).toBe(true)
    expect(areSameOptions({ iceServers: [ice] }, { iceServers: [{ username: 'u', urls: ['turn:a', 'turn:b'] }] })).toBe(
      true,
    )
    expect(areSameOptions({}, { lend: undefined })).toBe(true)
    expect(areSameOptions({ at: new URL('http://a/b') }, { at: new URL('http://a/b') })).toBe(true)
  })

  it('[SS3] differ by a value, a missing key, the order of a list, or another function', () => {
    const createWorker = (): undefined => undefined
    expect(areSameOptions({ workers: 2 }, { workers: 3 })).toBe(false)
    expect(areSameOptions({ workers: 2 }, {})).toBe(false)
    expect(areSameOptions({ urls: ['a', 'b'] }, { urls: ['b', 'a'] })).toBe(false)
    expect(areSameOptions({ urls: ['a'] }, { urls: { 0: 'a', length: 1 } })).toBe(false)
    expect(areSameOptions({ createWorker }, { createWorker })).toBe(true)
    expect(areSameOptions({ createWorker }, { createWorker: (): undefined => undefined })).toBe(false)
    expect(areSameOptions({ lend: null }, { lend: {} })).toBe(false)
    expect(areSameOptions({ at: new URL('http://a') }, { at: new URL('http://b') })).toBe(false)
  })

  it('[SS3] are those that were given, not what the caller made of the object later', () => {
    const given = { iceServers: [{ urls: ['a'] }], createWorker: (): undefined => undefined }
    const kept = copyOptions(given)
    expect(areSameOptions(kept, given)).toBe(true)
    given.iceServers[0]?.urls.push('b')
    expect(areSameOptions(kept, given)).toBe(false)
    expect(kept.createWorker).toBe(given.createWorker)
  })
})
