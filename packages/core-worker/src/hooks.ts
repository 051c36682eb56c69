import { LIMITS, SerializationError } from '@shoal/protocol'
import type { CodeDefinition, DecodeHooks, EncodedValue, EncodeHooks, ObjectId, Replacement } from '@shoal/protocol'
import { ActorClass, describeActorClass, handleContent, makeHandle } from './actor-class.ts'
import type { ActorMethodFacts, HandleContent } from './actor-class.ts'
import type { Arity } from './arity.ts'
import { CodeNotLoaded, loadedDefinition, NO_FACTS } from './code.ts'
import type { Code } from './code.ts'
import { codeOf } from './codes-in.ts'
import type { CoreWorker } from './core-worker.ts'
import { refuseForeign } from './foreign-handle.ts'
import { homeOf, idOf, ObjectRef } from './object-ref.ts'
import type { ActorOptions, TaskOptions } from './options.ts'
import { groupContent, PlacementGroup } from './placement-group.ts'
import type { GroupContent } from './placement-group.ts'
import { ObjectRefGenerator } from './ref-generator.ts'
import { describeFunction, RemoteFunction } from './remote-function.ts'

/** Code inside a value. The refs of what was handed in by name are refs of that value, so that they are counted. */
type CodePayload =
  | Exclude<CodeDefinition, { type: 'inline' }>
  | (Omit<CodeDefinition & { type: 'inline' }, 'uses'> & {
      readonly uses: (Omit<EncodedValue, 'refs'> & { readonly refs: readonly object[] }) | undefined
    })

interface FunctionPayload {
  readonly definition: CodePayload
  readonly exportName: string
  readonly name: string
  readonly arity: Arity | undefined
  readonly isGenerator?: boolean
  readonly options: TaskOptions
}

interface ActorClassPayload extends Omit<FunctionPayload, 'options'> {
  readonly options: ActorOptions
  readonly methods: readonly ActorMethodFacts[]
}

/** Stands for a ref whose ObjectRef is not at hand. */
class IdInside {
  readonly id: ObjectId
  constructor(id: ObjectId) {
    this.id = id
  }
}

/**
 * How refs, remote functions, actor classes and handles travel inside values. With `canWait`, whoever encodes fetches the
 * code that a CodeNotLoaded names and tries again.
 */
export function replaceHandles(value: object, canWait = false): Replacement | undefined {
  if (ObjectRef.is(value)) return { kind: 'ref', id: idOf(value) }
  if (value instanceof IdInside) return { kind: 'ref', id: value.id }
  if (RemoteFunction.is(value)) {
    const { identity, options } = describeFunction(value)
    const payload: FunctionPayload = {
      definition: codePayload(identity.code, identity.name, canWait),
      exportName: identity.exportName,
      name: identity.name,
      arity: identity.arity,
      ...(identity.isGenerator === true && { isGenerator: true }),
      options,
    }
    return { kind: 'extension', name: 'function', payload }
  }
  if (ActorClass.is(value)) {
    const { identity, options } = describeActorClass(value)
    const payload: ActorClassPayload = {
      definition: codePayload(identity.code, identity.name, canWait),
      exportName: identity.exportName,
      name: identity.name,
      arity: identity.arity,
      options,
      methods: identity.methods,
    }
    return { kind: 'extension', name: 'actor-class', payload }
  }
  if (ObjectRefGenerator.is(value))
    throw new TypeError('a stream (ObjectRefGenerator) cannot be passed on: pass the refs that it gives')
  if (PlacementGroup.is(value)) return { kind: 'extension', name: 'group', payload: { ...groupContent(value) } }
  const handle = handleContent(value)
  if (handle === undefined) refuseForeign(value)
  return handle === undefined ? undefined : { kind: 'extension', name: 'actor', payload: { ...handle } }
}

/** For what is handed in by name, which is encoded before there is a core worker. */
export const encodeHooks: EncodeHooks = { replace: (value) => replaceHandles(value, true) }

export function createHooks(core: CoreWorker): { readonly encode: EncodeHooks; readonly decode: DecodeHooks } {
  return {
    encode: {
      serializers: () => core.serializers,
      replace(value) {
        // In another session its number is another object's.
        if (ObjectRef.is(value) && homeOf(value) !== core) throw new TypeError(`${value.id} belongs to another session`)
        const code = codeOf(value)
        if (code !== undefined) core.know(code)
        return replaceHandles(value)
      },
    },
    decode: {
      serializers: () => core.serializers,
      ref: (id) => core.adoptRef(id),
      extension(name, payload) {
        if (name === 'actor') return makeHandle(payload as HandleContent, core)
        if (name === 'group') return new PlacementGroup(payload as GroupContent, core)
        if (name === 'actor-class') {
          const { definition, exportName, name: className, arity, options, methods } = payload as ActorClassPayload
          return new ActorClass(
            { code: arrived(definition, core), exportName, name: className, arity, methods },
            options,
            () => core,
          )
        }
        if (name === 'function') {
          const { definition, options, ...identity } = payload as FunctionPayload
          return new RemoteFunction({ ...identity, code: arrived(definition, core) }, options, () => core)
        }
        throw new SerializationError('not-serializable', `a value of the unknown kind ${name}`)
      },
    },
  }
}

function codePayload(given: Code, name: string, canWait: boolean): CodePayload {
  const code = canWait ? whole(given) : given
  if (code.kind === 'later')
    throw new SerializationError(
      'not-serializable',
      `${name} comes from a remote module and cannot be passed as a value from a page; import it in the module that calls it, or hand it in by name: remote({ ${name} }, ...)`,
    )
  const { definition } = code
  if (definition.type !== 'known' && definition.source.length > LIMITS.functionSourceBytes)
    throw new SerializationError('not-serializable', `the code of ${name} is too large to travel inside a value`)
  if (definition.type !== 'inline') return definition
  const { uses } = definition
  return { ...definition, uses: uses && { ...uses, refs: uses.refs.map((id) => new IdInside(id)) } }
}

/** With the definition of a bundle that was fetched. @throws CodeNotLoaded */
function whole(code: Code): Code {
  if (code.kind !== 'later') return code
  const definition = loadedDefinition(code)
  if (definition === undefined) throw new CodeNotLoaded(code)
  return { kind: 'ready', definition, callSite: '', facts: NO_FACTS }
}

/** The same function that arrives again is the same code: the node is not told of it once more. */
function arrived(payload: CodePayload, core: CoreWorker): Code {
  const held = payload.type === 'inline' ? ((payload.uses?.refs ?? []) as ObjectRef[]) : []
  const definition: CodeDefinition =
    payload.type === 'inline'
      ? { ...payload, uses: payload.uses && { ...payload.uses, refs: held.map(idOf) } }
      : payload
  const code: Code = { kind: 'ready', definition, callSite: '', facts: NO_FACTS, held }
  const canonical = core.canonicalCode(code)
  if (canonical !== code) for (const ref of held) ref.release()
  return canonical
}
