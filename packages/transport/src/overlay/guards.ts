/**
 * The checks that the overlay's promises rest on, each with a switch so that the simulation can prove that it would be
 * missed: a planted bug that no invariant finds means a checker that sees nothing. A program never touches them:
 * `createOverlay` has all of them on, and the switches are reachable through `@shoal/transport/testing` only.
 */
export interface OverlayGuards {
  /** TR9: nothing of a session that was forgotten, said goodbye or was followed by a higher one is let in. */
  readonly refusesOldSessions: boolean
  /** TR6: what was not acknowledged is sent again over the next link. */
  readonly resends: boolean
  /** TR6: a packet that was delivered before is dropped. */
  readonly dropsRepeats: boolean
  /** TR3: a hello that its key did not sign closes the link. */
  readonly provesKeys: boolean
}

export const ALL_GUARDS: OverlayGuards = {
  refusesOldSessions: true,
  resends: true,
  dropsRepeats: true,
  provesKeys: true,
}
