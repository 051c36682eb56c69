/** The sentence in something that was thrown. */
export function messageOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error)
  return message === '' ? 'something went wrong, without a message' : message
}
