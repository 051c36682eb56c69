import { createElement } from 'react'
import { actor, remote } from '@shoal/sdk'

// As in a component of Next: on the server too, modules run from top to bottom.
export const add = remote((a, b) => a + b, { name: 'add' })
export const Counter = actor(
  class Counter {
    n = 0
    add(k) {
      return (this.n += k)
    }
  },
)

export function Page() {
  return createElement('p', null, `${add.options({ numCpus: 1 }) === add ? '' : 'rendered'} on the server`)
}
