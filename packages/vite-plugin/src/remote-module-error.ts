/** A remote module that cannot be bundled: a message for the build's output, which names the file and the remedy. */
export class RemoteModuleError extends Error {
  override readonly name = 'RemoteModuleError'
  /** Files whose change may repair it, absolute. */
  readonly watchFiles: readonly string[]

  constructor(file: string, problem: string, details: { cause?: unknown; watchFiles?: readonly string[] } = {}) {
    super(`${file}: ${problem}`, 'cause' in details ? { cause: details.cause } : {})
    this.watchFiles = details.watchFiles ?? []
  }
}
