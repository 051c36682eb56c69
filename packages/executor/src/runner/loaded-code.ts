import { ActorClass, nameActorClass, nameFunction, RemoteFunction } from '@shoal/core-worker'
import type { Api, Code, ModuleScope } from '@shoal/core-worker'
import { SerializerRegistry } from '@shoal/protocol'
import type { CodeDefinition, FunctionHash } from '@shoal/protocol'
import { INLINE_PREFIX, inlineSourceUrl } from './user-stack.ts'

type Callable = (...args: unknown[]) => unknown

/** Makes a function from its parameters' names and its body, as `new Function` does; a port, since it needs eval. */
export type Evaluate = (parameters: readonly string[], body: string) => Callable

/** Code that was evaluated in this worker: what each export name stands for. */
export interface LoadedCode {
  /** The function to call with the task's arguments. @throws Error when there is no such export. */
  task(exportName: string): Callable
  /** The actor's class. @throws TypeError when it is none. */
  actorClass(exportName: string): new (...args: unknown[]) => object
  /** The classes that the code registered: its own, so that two versions of a module never mix. */
  readonly serializers: SerializerRegistry
}

export interface LoadContext {
  readonly evaluate: Evaluate
  readonly api: Api
  /** What `import ... from '@shoal/sdk'` gives in a remote module. */
  sdkModule(serializers: SerializerRegistry): Readonly<Record<string, unknown>>
  decodeUses(definition: CodeDefinition & { type: 'inline' }): Record<string, unknown>
  /** Runs `evaluate` while `remote()` and `actor()` name what they are given by its place in the module. */
  withModule<T>(scope: ModuleScope, serializers: SerializerRegistry, evaluate: () => T): T
}

/** Evaluates code once. Throws what its top level throws. */
export function loadCode(hash: FunctionHash, definition: CodeDefinition, context: LoadContext): LoadedCode {
  if (definition.type === 'inline') return loadInline(definition, context)
  if (definition.type === 'module') return loadModule(hash, definition, context)
  throw new TypeError(`the code ${definition.name} did not arrive`)
}

function loadInline(definition: CodeDefinition & { type: 'inline' }, context: LoadContext): LoadedCode {
  // Names that compilers and coverage tools leave in a function's text: see docs/decisions on captures.
  const counters = [...new Set(definition.source.match(/\bcov_[A-Za-z0-9_]+/g) ?? [])]
  const named = `//# sourceURL=${inlineSourceUrl(definition.name, definition.source)}`
  const make = context.evaluate(['__name', ...counters], `${INLINE_PREFIX}${definition.source}\n)\n${named}`)
  const fn = make((target: unknown) => target, ...counters.map(() => coverageSink)) as Callable
  const uses = definition.uses === undefined ? undefined : context.decodeUses(definition)
  const first = uses === undefined ? undefined : { ...context.api, ...uses }
  return {
    task: () => (first === undefined ? fn : (...args) => fn(first, ...args)),
    actorClass: () => fn as unknown as new (...args: unknown[]) => object,
    // An inline function has no place of its own to register a class in.
    serializers: new SerializerRegistry(),
  }
}

/** Stands in for a coverage tool's counters: any path may be read, called and incremented. */
const coverageSink = (): unknown => deepCounter
const deepCounter: unknown = new Proxy(() => undefined, {
  get: (_, key) => (key === Symbol.toPrimitive ? () => 0 : deepCounter),
  set: () => true,
  apply: () => deepCounter,
})

function loadModule(
  hash: FunctionHash,
  definition: CodeDefinition & { type: 'module' },
  context: LoadContext,
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
