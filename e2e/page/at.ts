/** Where a task has to run: each tab of these tests has a resource of its own name. */
export function at(place: string): { readonly resources: Record<string, number>; readonly numCpus: 0 } {
  return { resources: { [place]: 1 }, numCpus: 0 }
}
