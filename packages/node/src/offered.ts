import { CPU, fromResourceSet, toResourceSet } from '@shoal/protocol'
import type { NodeLabels, ResourceSet } from '@shoal/protocol'
import type { NodeOptions } from './node-options.ts'

/** All that a tab has, lent or not, and what it says of itself: from its start on, or found later. Nothing is taken back. */
export class Offered {
  resources: ResourceSet
  labels: NodeLabels

  constructor({ resources = [], labels = [], slots }: Pick<NodeOptions, 'resources' | 'labels' | 'slots'>) {
    this.resources = toResourceSet({ ...fromResourceSet(resources), [CPU]: slots })
    this.labels = labels
  }

  /** Of a label that its page gave it the page's value stays. */
  add(resources: ResourceSet, labels: NodeLabels): void {
    this.resources = toResourceSet({ ...fromResourceSet(this.resources), ...fromResourceSet(resources) })
    this.labels = [...this.labels, ...labels.filter(({ key }) => this.labels.every((own) => own.key !== key))]
  }
}
