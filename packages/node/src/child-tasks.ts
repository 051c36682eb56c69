import type { NodeId, ObjectId } from '@shoal/protocol'

/** Which tasks without an outcome each task of this tab has submitted: what a cancellation goes down by. */
export class ChildTasks {
  readonly #byParent = new Map<NodeId, Map<number, Set<number>>>()

  of({ owner, number }: ObjectId): number[] {
    return [...(this.#byParent.get(owner)?.get(number) ?? [])]
  }

  add({ owner, number }: ObjectId, child: number): void {
    let parents = this.#byParent.get(owner)
    if (parents === undefined) this.#byParent.set(owner, (parents = new Map<number, Set<number>>()))
    const children = parents.get(number)
    if (children === undefined) parents.set(number, new Set([child]))
    else children.add(child)
  }

  delete({ owner, number }: ObjectId, child: number): void {
    const parents = this.#byParent.get(owner)
    const children = parents?.get(number)
    if (parents === undefined || children === undefined) return
    children.delete(child)
    if (children.size > 0) return
    parents.delete(number)
    if (parents.size === 0) this.#byParent.delete(owner)
  }

  clear(): void {
    this.#byParent.clear()
  }
}
