/**
 * Tabs that this page's owner opened by a button, to help: their windows, so that they can be closed again, and the word
 * that a person asked for each. A window that nobody opened here, or that was loaded anew since, has to ask its person.
 */
import { signal } from '@preact/signals'
import type { ReadonlySignal } from '@preact/signals'
import type { MachineInterface } from '../machine-interface.ts'

/** Of a window that this page opened, as far as it is still one of ours. */
type HelperWindow = Window & { readonly __shoal__?: MachineInterface }

export class HelperTabs {
  readonly #windows = new Set<HelperWindow>()
  /** Those that may lend once without being asked. */
  readonly #vouched = new WeakSet<Window>()
  readonly #nodes = signal<ReadonlyMap<string, HelperWindow>>(new Map())
  readonly #open: (url: string) => Window | null

  /** The nodes of those that are in the room, by id. */
  readonly nodes: ReadonlySignal<ReadonlyMap<string, unknown>> = this.#nodes

  constructor(open: (url: string) => Window | null) {
    this.#open = open
  }

  /** False when the browser blocked it. */
  open(url: string): boolean {
    const opened = this.#open(url) as HelperWindow | null
    if (opened === null) return false
    this.#windows.add(opened)
    this.#vouched.add(opened)
    return true
  }

  /** True once for each window that was opened here. */
  vouchFor(asking: Window): boolean {
    return this.#vouched.delete(asking)
  }

  /** Closes the tab in which that node is. False when it is none of these. */
  kill(nodeId: string): boolean {
    const found = this.#nodes.peek().get(nodeId)
    found?.close()
    return found !== undefined
  }

  /** Who is who may have changed. */
  look(): void {
    const nodes = new Map<string, HelperWindow>()
    for (const each of this.#windows) {
      if (each.closed) this.#windows.delete(each)
      else {
        const nodeId = nodeIdIn(each)
        if (nodeId !== undefined) nodes.set(nodeId, each)
      }
    }
    const known = this.#nodes.peek()
    if (nodes.size !== known.size || [...nodes].some(([id, each]) => known.get(id) !== each)) this.#nodes.value = nodes
  }
}

/**
 * Whether this page may lend because its link says `auto=help`, without its person being asked: under a program's control,
 * or in a window that the room's page of the same site has just opened for its person. A link alone says nothing, since
 * anybody can write one.
 */
export function mayHelpUnasked(page: Window): boolean {
  if (page.navigator.webdriver) return true
  try {
    const opener = page.opener as HelperWindow | null
    return opener?.__shoal__?.vouchFor(page) === true
  } catch {
    // A page of another site.
    return false
  }
}

function nodeIdIn(of: HelperWindow): string | undefined {
  try {
    return of.__shoal__?.status()?.nodeId
  } catch {
    // It shows another site by now.
    return undefined
  }
}
