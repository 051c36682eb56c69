import { ActorClass, nameActorClass, nameFunction, RemoteFunction } from '@shoal/core-worker'
import type { Code, ModuleScope } from '@shoal/core-worker'
import { SerializerRegistry } from '@shoal/protocol'
import type { CodeDefinition, FunctionHash } from '@shoal/protocol'
import type { Callable, Evaluate, LoadedCode } from './loaded-code.ts'

export interface ModuleContext {
  readonly evaluate: Evaluate
  /** What `import ... from '@shoal/sdk'` gives in a remote module. */
  sdkModule(serializers: SerializerRegistry): Readonly<Record<string, unknown>>
  /** Runs `evaluate` while `remote()` and `actor()` name what they are given by its place in the module. */
  withModule<T>(scope: ModuleScope, serializers: SerializerRegistry, evaluate: () => T): T
}

/** Evaluates a remote module's bundle once. Throws what its top level throws. */
export function loadModule(
  hash: FunctionHash,
  definition: CodeDefinition & { type: 'module' },
  context: ModuleContext,
): LoadedCode {
  const code: Code = {
    kind: 'ready',
    definition: { type: 'known', name: definition.name, hash },
    callSite: '',
    facts: new Uint8Array(0),
  }
  const scope: ModuleScope = { code, members: [] }
  const serializers = new SerializerRegistry()
  const sdk = context.sdkModule(serializers)
  const module: { exports: Record<string, unknown> } = { exports: {} }
  const require = (name: string): unknown => {
    if (name === '@shoal/sdk') return sdk
    throw new Error(`${definition.name} imports ${name}, which its bundle does not contain`)
  }
  const evaluate = context.evaluate(['exports', 'require', 'module'], definition.source)
  context.withModule(scope, serializers, () => evaluate(module.exports, require, module))
  // As the page's stubs are named: an arrow function given to remote() has no name of its own.
  for (const [name, made] of Object.entries(module.exports)) {
    if (name === 'default') continue
    if (RemoteFunction.is(made)) nameFunction(made, name)
    else if (ActorClass.is(made)) nameActorClass(made, name)
  }
  const find = (exportName: string): Callable => {
    const made = exportName.startsWith('#') ? undefined : module.exports[exportName]
    const member =
      made === undefined ? scope.members[Number(exportName.slice(1))] : scope.members.find((m) => m.made === made)
    if (member === undefined || !(RemoteFunction.is(member.made) || ActorClass.is(member.made)))
      throw new Error(`${definition.name} has no remote function or actor called ${exportName}`)
    return member.raw as Callable
  }
  return { task: find, actorClass: (name) => find(name) as unknown as new (...args: unknown[]) => object, serializers }
}
