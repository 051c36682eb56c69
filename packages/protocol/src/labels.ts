import { LIMITS } from './limits.ts'
import { array, bool, string, struct } from './schema.ts'
import type { Infer } from './schema.ts'

const text = string(LIMITS.nameBytes)

/** The label that each node has by itself: its id. */
export const NODE_ID_LABEL = 'shoal/node-id'

/** The label that a node with a GPU has by itself: who made the GPU, or `fallback` where the CPU computes in its place. */
export const GPU_LABEL = 'shoal/gpu'

/** What a node says of itself: values by name. */
export const nodeLabels = array(struct({ key: text, value: text }), LIMITS.labels)
export type NodeLabels = Infer<typeof nodeLabels>

/** One condition: the label's value is one of these; `isNot`: it is none of them, or the node has no such label. */
export const labelTerm = struct({ key: text, isNot: bool, values: array(text, LIMITS.labelValues) })
export type LabelTerm = Infer<typeof labelTerm>

/**
 * On which nodes work may run: all of `hard` holds there. Where any node that could run it has all of `soft`, it is one of
 * those, and waits for it.
 */
export const labelSelector = struct({
  hard: array(labelTerm, LIMITS.labels),
  soft: array(labelTerm, LIMITS.labels),
})
export type LabelSelector = Infer<typeof labelSelector>

export const ANY_NODE: LabelSelector = { hard: [], soft: [] }

/** Whether all terms hold of the node `id` with these labels. */
export function hasLabels(terms: readonly LabelTerm[], id: string, labels: NodeLabels): boolean {
  return terms.every(({ key, isNot, values }) => {
    const value = key === NODE_ID_LABEL ? id : labels.find((label) => label.key === key)?.value
    return isNot !== (value !== undefined && values.includes(value))
  })
}

/** In words for people, e.g. `region in eu, us and gpu not none`. */
export function showLabels(terms: readonly LabelTerm[]): string {
  return terms.map(({ key, isNot, values }) => `${key} ${isNot ? 'not ' : 'in '}${values.join(', ')}`).join(' and ')
}

/** The node that these terms name, where they name one. */
export function namedNode({ hard }: Pick<LabelSelector, 'hard'>): string | undefined {
  return hard.find(({ key, isNot, values }) => key === NODE_ID_LABEL && !isNot && values.length === 1)?.values[0]
}
