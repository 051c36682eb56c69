import type { NodeId, ObjectId } from '@shoal/protocol'

/** One object that a submitter asked about. */
export interface Question {
  /** False while the submitter has withdrawn it. */
  readonly isOpen: boolean
  /** It is answered: the next time it is asked anew. True when the answer is still wanted. */
  answered(): boolean
}

/**
 * What one submitter has asked and not been told yet: one question an object. A question that was withdrawn stays with
 * whoever was to answer it, closed, and is opened again when it is asked again: polling piles nothing up.
 */
export class Questions {
  readonly #byOwner = new Map<NodeId, Map<number, { isOpen: boolean; answered(): boolean }>>()
  #open = 0

  /** Questions that are waited for. */
  get open(): number {
    return this.#open
  }

  /** A new question, or undefined when it is out already. */
  ask({ owner, number }: ObjectId): Question | undefined {
    const questions = this.#byOwner.get(owner) ?? new Map<number, { isOpen: boolean; answered(): boolean }>()
    this.#byOwner.set(owner, questions)
    const known = questions.get(number)
    if (known !== undefined) {
      if (!known.isOpen) this.#open++
      known.isOpen = true
      return undefined
    }
    const question = {
      isOpen: true,
      answered: (): boolean => {
        questions.delete(number)
        if (question.isOpen) this.#open--
        return question.isOpen
      },
    }
    questions.set(number, question)
    this.#open++
    return question
  }

  /** Nobody waits for any answer. */
  clear(): void {
    for (const questions of this.#byOwner.values()) for (const question of questions.values()) question.isOpen = false
    this.#byOwner.clear()
    this.#open = 0
  }

  withdraw({ owner, number }: ObjectId): void {
    const question = this.#byOwner.get(owner)?.get(number)
    if (question?.isOpen !== true) return
    question.isOpen = false
    this.#open--
  }
}
