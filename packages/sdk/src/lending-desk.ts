import type { SessionStatus } from './session-types.ts'

/** What a badge sees of a session. */
export interface Lender {
  readonly room: { readonly fingerprint: string } | undefined
  status(): SessionStatus
  onStatus(listener: (status: SessionStatus) => void): () => void
  lend(isOn: boolean): void
}

/** What a session sees of a badge. */
export interface LendingSign {
  /** Whether people can see it at this moment. */
  readonly isShown: boolean
}

/**
 * Where the sessions and the badges of one page meet, also those of two copies of the SDK: whatever is here must stay
 * understood by older copies, or the key gets another number.
 */
export interface LendingDesk {
  readonly lenders: Set<Lender>
  readonly signs: Set<LendingSign>
  readonly listeners: Set<() => void>
}

const KEY = Symbol.for('shoal.lending-desk.1')

/** The page's desk, made when it is first asked for. */
export function lendingDesk(): LendingDesk {
  const page = globalThis as { [KEY]?: LendingDesk }
  return (page[KEY] ??= { lenders: new Set(), signs: new Set(), listeners: new Set() })
}

export function isSignShown({ signs }: LendingDesk): boolean {
  for (const sign of signs) if (sign.isShown) return true
  return false
}

/** Tells everybody at the desk that a lender or a sign came, went or changed. */
export function announce({ listeners }: LendingDesk): void {
  for (const listener of [...listeners])
    try {
      listener()
    } catch (error) {
      // As an uncaught error: the others still have to hear.
      reportError(error)
    }
}
