/** Evaluates a bundle as the runner in a worker does, with the given SDK, and gives what it exports. */
export function evaluateBundle(code: string, sdk: object): Record<string, unknown> {
  const module = { exports: {} as Record<string, unknown> }
  const evaluate = new Function('exports', 'require', 'module', code) as (
    exports: object,
    require: (id: string) => object,
    module: object,
  ) => void
  evaluate(
    module.exports,
    (id) => {
      if (id !== '@shoal/sdk') throw new Error(`unexpected module ${id}`)
      return sdk
    },
    module,
  )
  return module.exports
}

/** An SDK that runs everything at once, in place: enough to see that a bundle's code works. */
export function immediateSdk(): object {
  const remote = (fn: (...args: unknown[]) => unknown): object => ({ remote: (...args: unknown[]) => fn(...args) })
  const actor = (Class: new (...args: unknown[]) => object): object => ({
    remote: (...args: unknown[]) => new Class(...args),
  })
  return { remote, actor, get: (value: unknown) => Promise.resolve(value) }
}

/** What a bundle's hash is of: its text without the last line, which holds digits of the hash. */
export function hashedText(code: string): string {
  return code.replace(/\/\/# sourceURL=.*\n$/, '')
}
