import { describe, expect, it } from 'vitest'
import type { Control } from './pilot.ts'
import { Pilot } from './pilot.ts'

/** Flies so many steps of a fiftieth of a second. */
function fly(pilot: Pilot, fromMs: number, steps: number): number {
  let nowMs = fromMs
  pilot.advance(nowMs)
  for (let i = 0; i < steps; i += 1) pilot.advance((nowMs += 20))
  return nowMs
}

describe('Pilot', () => {
  it('flies in real time, however frames come', () => {
    const [smooth, rough] = [new Pilot(1), new Pilot(1)]
    for (const pilot of [smooth, rough]) {
      pilot.start()
      pilot.begin()
    }
    fly(smooth, 0, 30)
    rough.advance(0)
    for (let nowMs = 50; nowMs <= 600; nowMs += 50) rough.advance(nowMs)
    expect(rough.poses()).toEqual(smooth.poses())
  })

  it.each([
    ['left', 1],
    ['right', -1],
  ] as const)('turns %s with that key', (control, sign) => {
    const pilot = new Pilot(1)
    pilot.start()
    const before = pilot.poses()[0].angle
    pilot.hold(control, true)
    fly(pilot, 0, 25)
    expect(pilot.fired).toBe(control)
    expect(sign * (pilot.poses()[0].angle - before)).toBeGreaterThan(0.2)
  })

  it('fires one engine at a time, as agents do: of two that are held each has every other step', () => {
    const pilot = new Pilot(1)
    pilot.start()
    pilot.hold('main', true)
    pilot.hold('left', true)
    const fired: (Control | undefined)[] = []
    let nowMs = 0
    pilot.advance(nowMs)
    for (let i = 0; i < 4; i += 1) {
      pilot.advance((nowMs += 20))
      fired.push(pilot.fired)
    }
    expect(new Set(fired)).toEqual(new Set(['main', 'left']))
    expect(fired.slice(0, 2)).toEqual(fired.slice(2))
  })

  it('hangs at its start until something is held', () => {
    const pilot = new Pilot(1)
    pilot.begin()
    expect(pilot.state.value.kind).toBe('off')
    pilot.start()
    const poses = pilot.poses()
    const nowMs = fly(pilot, 0, 50)
    expect(pilot.state.value.kind).toBe('ready')
    expect(pilot.poses()).toEqual(poses)
    pilot.hold('main', true)
    fly(pilot, nowMs, 5)
    expect(pilot.state.value.kind).toBe('flying')
    expect(pilot.poses()).not.toEqual(poses)
  })

  it('ends with a score, keeps the best one, and begins anew', () => {
    const pilot = new Pilot(1)
    expect(pilot.best.value).toBeUndefined()
    pilot.start()
    pilot.begin()
    const nowMs = fly(pilot, 0, 400)
    const state = pilot.state.value
    expect(state).toMatchObject({ kind: 'ended', outcome: 'crashed', score: pilot.score })
    expect(pilot.score).toBeLessThan(0)
    expect(pilot.best.value).toBe(pilot.score)
    const [{ y }] = pilot.poses()
    fly(pilot, nowMs, 5)
    expect(pilot.poses()[0].y).toBe(y)
    pilot.start()
    expect(pilot.score).toBe(0)
    expect(pilot.poses()[0].y).toBeGreaterThan(y)
  })

  it('stands still while it is paused, and lets go of what was held', () => {
    const pilot = new Pilot(1)
    pilot.start()
    pilot.hold('main', true)
    const nowMs = fly(pilot, 0, 3)
    pilot.pause()
    const poses = pilot.poses()
    fly(pilot, nowMs, 50)
    expect(pilot.poses()).toEqual(poses)
    pilot.resume()
    fly(pilot, nowMs + 5000, 1)
    expect(pilot.fired).toBeUndefined()
    // The time it was paused is not made up for.
    expect(Math.abs(pilot.poses()[0].y - poses[0].y)).toBeLessThan(0.2)
    pilot.stop()
    expect(pilot.state.value.kind).toBe('off')
    pilot.resume()
    expect(pilot.state.value.kind).toBe('off')
  })
})
