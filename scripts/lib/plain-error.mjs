/** An outcome a person should read as one sentence: printed without a stack, with its exit code. */
export class PlainError extends Error {
  isPlain = true

  constructor(message, exitCode = 1) {
    super(message)
    this.name = 'PlainError'
    this.exitCode = exitCode
  }
}
