import { describe, expect, it } from 'vitest'
import type { NodeId } from '@shoal/protocol'
import { Questions } from './questions.ts'

const object = { owner: 'a'.repeat(32) as NodeId, number: 7 }

describe('Questions', () => {
  it('gives one question an object, opened again when it is asked again', () => {
    const questions = new Questions()
    const question = questions.ask(object)
    for (let i = 0; i < 100; i++) {
      questions.withdraw(object)
      expect(questions.open).toBe(0)
      expect(question?.isOpen).toBe(false)
      expect(questions.ask(object)).toBeUndefined()
      expect(questions.open).toBe(1)
    }
    expect(question?.answered()).toBe(true)
    expect(questions.open).toBe(0)
    expect(questions.ask(object)).toBeDefined()
  })

  it('has no use for the answer to a withdrawn one', () => {
    const questions = new Questions()
    const question = questions.ask(object)
    questions.withdraw(object)
    questions.withdraw(object)
    expect(question?.answered()).toBe(false)
    expect(questions.open).toBe(0)
  })
})
