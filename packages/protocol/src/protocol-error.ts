/** malformed: not decodable. too-large: past a limit of limits.ts. version: another protocol. denied: not entitled. stale: an older session, epoch, attempt or incarnation. */
export type ProtocolErrorCode = 'malformed' | 'too-large' | 'version' | 'denied' | 'stale'

/** A peer's fault: counted, the message dropped and, when repeated, the link closed. Never an outcome of a task. */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError'
  readonly code: ProtocolErrorCode

  constructor(code: ProtocolErrorCode, message: string) {
    super(message)
    this.code = code
  }

  /** Also one of another copy of this class: what a node loads later brings its own. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    return value instanceof Error && value.name === 'ProtocolError' && 'code' in value
  }
}
