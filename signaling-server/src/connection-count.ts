import type { ServerLimits } from './limits.ts'

/** How many sockets are open, in all and from each address. */
export class ConnectionCount {
  readonly #limits: ServerLimits
  readonly #byAddress = new Map<string, number>()
  #total = 0

  constructor(limits: ServerLimits) {
    this.#limits = limits
  }

  get total(): number {
    return this.#total
  }

  /**
   * `full` says why a new socket must be refused; `isFlooded` that it is not even worth a polite answer, because as
   * many refused ones as may be open are already waiting to be closed. `done` is called once when the socket is gone.
   */
  add(address: string): { readonly full: string | undefined; readonly isFlooded: boolean; done(): void } {
    const mine = (this.#byAddress.get(address) ?? 0) + 1
    this.#total++
    this.#byAddress.set(address, mine)
    const { connections, connectionsPerAddress } = this.#limits
    return {
      full:
        mine > connectionsPerAddress
          ? `more than ${connectionsPerAddress} connections from your address`
          : this.#total > connections
            ? `this server holds ${connections} connections already`
            : undefined,
      isFlooded: mine > 2 * connectionsPerAddress || this.#total > 2 * connections,
      done: () => {
        this.#total--
        const left = (this.#byAddress.get(address) ?? 1) - 1
        if (left === 0) this.#byAddress.delete(address)
        else this.#byAddress.set(address, left)
      },
    }
  }
}
