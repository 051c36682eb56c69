import { LIMITS } from '../limits.ts'

/** A class: what `new` can be called with. */
export type ClassOf<T extends object> = abstract new (...args: never[]) => T

/** How instances of a class travel. */
export interface Serializer<T, D = unknown> {
  /** The class's name on the wire, the same on both sides. */
  readonly name: string
  /** The instance as data of kinds that can be sent. Without it, its own enumerable fields. */
  serialize?(instance: T): D
  /** An instance from that data. Without it, one with those fields; the constructor is not called. */
  deserialize?(data: D): T
}

export interface RegisteredClass {
  readonly name: string
  readonly Class: ClassOf<object>
  readonly serialize: ((instance: object) => unknown) | undefined
  readonly deserialize: ((data: unknown) => object) | undefined
}

/** Classes that travel as they are, and so need no serializer. */
const OWN_WAY: readonly object[] = [Object, Array, Map, Set, Date, RegExp, Error, ArrayBuffer, DataView, Function]
const TypedArray = Object.getPrototypeOf(Uint8Array) as new () => object

const registeredNames = new WeakMap<object, string>()

/** What an error class is called in every tab: minifiers rename classes, not what they were registered as. */
export function errorClassName(Class: { readonly name: string }): string {
  return registeredNames.get(Class) ?? Class.name
}

/**
 * The classes whose instances may be sent, and the errors that are made again as what they were, each under a name. A
 * page has one; in a worker each remote module has its own, so that two versions of one module never mix.
 */
export class SerializerRegistry {
  readonly #byPrototype = new Map<object, RegisteredClass>()
  readonly #byName = new Map<string, RegisteredClass>()
  readonly #errorNames = new Map<object, string>()
  readonly #errors = new Map<string, ClassOf<Error>>()

  registerSerializer<T extends object, D>(Class: ClassOf<T>, serializer: Serializer<T, D>): void {
    mustBeClass('registerSerializer', Class)
    const { name, serialize, deserialize } = serializer
    mustBeName('registerSerializer', name)
    if ((serialize === undefined) !== (deserialize === undefined))
      throw new TypeError(`registerSerializer: ${name} has one of serialize and deserialize; give both or neither`)
    if (OWN_WAY.includes(Class) || Class.prototype instanceof TypedArray)
      throw new TypeError(`registerSerializer: ${Class.name} travels without one`)
    if (Class.prototype instanceof Error)
      throw new TypeError(`registerSerializer: ${Class.name} is an error: use registerError(${Class.name}, '${name}')`)
    const known = this.#byName.get(name)
    if (known !== undefined && known.Class !== Class) throw taken('registerSerializer', name)
    const other = this.#byPrototype.get(Class.prototype)
    if (other !== undefined && other.name !== name)
      throw new TypeError(`registerSerializer: ${Class.name} is registered as ${other.name} already`)
    const entry: RegisteredClass = {
      name,
      Class,
      serialize: serialize && ((instance) => serialize.call(serializer, instance as T)),
      deserialize: deserialize && ((data) => deserialize.call(serializer, data as D)),
    }
    this.#byName.set(name, entry)
    this.#byPrototype.set(Class.prototype, entry)
  }

  /** Forgets the class; false when it was not registered. */
  deregisterSerializer(Class: ClassOf<object>): boolean {
    mustBeClass('deregisterSerializer', Class)
    const entry = this.#byPrototype.get(Class.prototype)
    if (entry !== undefined) {
      this.#byPrototype.delete(Class.prototype)
      this.#byName.delete(entry.name)
      return true
    }
    const name = this.#errorNames.get(Class.prototype)
    if (name === undefined) return false
    this.#errorNames.delete(Class.prototype)
    this.#errors.delete(name)
    return true
  }

  registerError<T extends Error>(Class: ClassOf<T>, name: string): void {
    mustBeClass('registerError', Class)
    mustBeName('registerError', name)
    if (!(Class.prototype instanceof Error)) throw new TypeError(`registerError: ${Class.name} does not extend Error`)
    const known = this.#errors.get(name)
    if (known !== undefined && known !== Class) throw taken('registerError', name)
    const other = this.#errorNames.get(Class.prototype)
    if (other !== undefined && other !== name)
      throw new TypeError(`registerError: ${Class.name} is registered as ${other} already`)
    this.#errors.set(name, Class)
    this.#errorNames.set(Class.prototype, name)
    registeredNames.set(Class, name)
  }

  /** The class whose instances have exactly this prototype: a subclass has more to it. */
  ofPrototype(prototype: object): RegisteredClass | undefined {
    return this.#byPrototype.size === 0 ? undefined : this.#byPrototype.get(prototype)
  }

  byName(name: string): RegisteredClass | undefined {
    return this.#byName.get(name)
  }

  /** The name of the nearest registered class that the error is an instance of, '' for none. */
  errorName(error: object): string {
    if (this.#errorNames.size === 0) return ''
    for (let at: unknown = Object.getPrototypeOf(error); at !== null; at = Object.getPrototypeOf(at)) {
      const name = this.#errorNames.get(at as object)
      if (name !== undefined) return name
    }
    return ''
  }

  errorClass(name: string): ClassOf<Error> | undefined {
    return this.#errors.get(name)
  }
}

function mustBeClass(caller: string, Class: unknown): void {
  if (typeof Class !== 'function' || typeof Class.prototype !== 'object' || Class.prototype === null)
    throw new TypeError(`${caller}: the first argument must be a class`)
}

function mustBeName(caller: string, name: unknown): void {
  if (typeof name !== 'string' || name === '') throw new TypeError(`${caller}: the name must be a text`)
  if (name.length > LIMITS.nameBytes / 4)
    throw new RangeError(`${caller}: a name has at most ${LIMITS.nameBytes / 4} characters`)
}

function taken(caller: string, name: string): TypeError {
  return new TypeError(
    `${caller}: another class has the name ${name} already; after a hot update call deregisterSerializer on the old one first`,
  )
}
