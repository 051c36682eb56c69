import type { NodeId, ObjectId } from '@shoal/protocol'

/** One object that a submitter asked about. */
export class Question {
  /** False while the submitter has withdrawn it. */
  isOpen = true
  readonly #number: number
  readonly #among: Among

  constructor(number: number, among: Among) {
    this.#number = number
    this.#among = among
  }

  /** It is answered: the next time it is asked anew. True when the answer is still wanted. */
  answered(): boolean {
    this.#among.byNumber.delete(this.#number)
    if (this.isOpen) this.#among.all.open--
    return this.isOpen
  }
}

/** The questions about one owner's objects. */
interface Among {
  readonly byNumber: Map<number, Question>
  readonly all: { open: number }
}

/**
 * What one submitter has asked and not been told yet: one question an object. A question that was withdrawn stays with
 * whoever was to answer it, closed, and is opened again when it is asked again: polling piles nothing up.
 */
export class Questions {
  readonly #byOwner = new Map<NodeId, Among>()
  readonly #all = { open: 0 }

  /** Questions that are waited for. */
  get open(): number {
    return this.#all.open
  }

  /** A new question, or undefined when it is out already. */
  ask({ owner, number }: ObjectId): Question | undefined {
    let among = this.#byOwner.get(owner)
    if (among === undefined) {
      among = { byNumber: new Map(), all: this.#all }
      this.#byOwner.set(owner, among)
    }
    const known = among.byNumber.get(number)
    if (known !== undefined) {
      if (!known.isOpen) this.#all.open++
      known.isOpen = true
      return undefined
    }
    const question = new Question(number, among)
    among.byNumber.set(number, question)
    this.#all.open++
    return question
  }

  /** Nobody waits for any answer. */
  clear(): void {
    for (const { byNumber } of this.#byOwner.values()) for (const question of byNumber.values()) question.isOpen = false
    this.#byOwner.clear()
    this.#all.open = 0
  }

  withdraw({ owner, number }: ObjectId): void {
    const question = this.#byOwner.get(owner)?.byNumber.get(number)
    if (question?.isOpen !== true) return
    question.isOpen = false
    this.#all.open--
  }
}
