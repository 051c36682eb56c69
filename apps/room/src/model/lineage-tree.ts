/** One object in a lineage, with what its task needs below it. */
export interface LineageNode {
  readonly objectId: string
  readonly taskName: string | undefined
  /** It stands further up already, with all that is below it. */
  readonly isRepeated: boolean
  readonly needs: readonly LineageNode[]
}

type Listed = {
  readonly objectId: string
  readonly taskName: string | undefined
  readonly dependencies: readonly string[]
}

/** Deeper ones are not drawn: each level is an indent, and a phone has room for few. */
const MOST_LEVELS = 12

/** The flat list of a lineage as a tree, as people read it: each object's needs are listed once, where it first stands. */
export function lineageTree(objects: readonly Listed[]): LineageNode | undefined {
  const known = new Map(objects.map((object) => [object.objectId, object]))
  const seen = new Set<string>()
  const nodeOf = (objectId: string, level: number): LineageNode => {
    const object = known.get(objectId)
    const isRepeated = seen.has(objectId)
    seen.add(objectId)
    const dependencies = isRepeated || level >= MOST_LEVELS ? [] : (object?.dependencies ?? [])
    return {
      objectId,
      taskName: object?.taskName,
      isRepeated,
      needs: dependencies.map((each) => nodeOf(each, level + 1)),
    }
  }
  const [root] = objects
  return root && nodeOf(root.objectId, 0)
}
