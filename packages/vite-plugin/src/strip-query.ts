/** The file of a module id: without the query that picks one of several modules made from it. */
export function stripQuery(id: string): string {
  return id.replace(/[?#].*$/, '')
}
