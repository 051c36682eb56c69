/** What the cases import: a tool may leave it beside them or take it in. */
export const help = (x: number): number => x + Math.random()
export class Base {
  readonly size = 1
}
