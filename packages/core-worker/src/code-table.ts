import { LIMITS } from '@shoal/protocol'
import type { CodeDefinition, EncodedValue } from '@shoal/protocol'
import type { Code } from './code.ts'
import type { ResolvedOptions } from './options.ts'

/** Codes that are remembered; past it the one unused for longest is forgotten and numbered anew. As of templates. */
const MOST_KEPT = 2_000

/**
 * The numbers under which a core worker told its node of code and templates. The same code is one entry however often
 * it was defined or arrived: a task that is given the same function a million times tells its node of it once.
 */
export class CodeTable {
  readonly #mostKept: number
  /** By the very text, or hash; codes that share it differ in what was handed in by name, or in where they stand. */
  readonly #byText = new Map<string, Code[]>()
  /** With their numbers, undefined before the node was told; the one unused for longest first. */
  readonly #codes = new Map<Code, number | undefined>()
  readonly #templates = new Map<string, number>()
  readonly #numbers = new Set<number>()
  #lastCode = 0
  #lastTemplate = 0

  constructor(mostKept = MOST_KEPT) {
    this.#mostKept = mostKept
  }

  /** Those that are remembered. */
  known(): Iterable<Code> {
    return this.#codes.keys()
  }

  /** The code that stands for all equal ones: the first of them that came. */
  canonical(given: Code): Code {
    const code = this.#find(given)
    const number = this.#codes.get(code)
    this.#codes.delete(code)
    this.#codes.set(code, number)
    if (this.#codes.size > this.#mostKept) this.#forget(oldest(this.#codes))
    return code
  }

  /** The code's number; `tell` is called first when the node has not been told of it. @throws what refused it */
  code(given: Code, tell: (number: number, code: Code) => void): number {
    if (given.kind === 'ready' && given.refusal !== undefined) throw given.refusal
    const code = this.canonical(given)
    let number = this.#codes.get(code)
    if (number === undefined) {
      number = ++this.#lastCode
      this.#codes.set(code, number)
      tell(number, code)
    }
    return number
  }

  /** The number for this code and these options; `tell` is called first when the node has not been told of it. */
  template(code: number, exportName: string, options: ResolvedOptions, tell: (number: number) => void): number {
    const key = `${code} ${exportName} ${optionsText(options)}`
    let number = this.#templates.get(key)
    if (number === undefined) {
      number = ++this.#lastTemplate
      this.#numbers.add(number)
      tell(number)
    } else this.#templates.delete(key)
    this.#templates.set(key, number)
    if (this.#templates.size > Math.min(LIMITS.templatesKept, this.#mostKept)) {
      const [first, forgotten] = this.#templates.entries().next().value as [string, number]
      this.#templates.delete(first)
      this.#numbers.delete(forgotten)
    }
    return number
  }

  /** Whether the node may be taken to know the template of that number: it may have forgotten it since. */
  holds(template: number): boolean {
    return this.#numbers.has(template)
  }

  #find(code: Code): Code {
    if (code.kind === 'later' || this.#codes.has(code)) return code
    const text = textOf(code.definition)
    const alike = this.#byText.get(text)
    const equal = alike?.find((other) => isEqual(other, code))
    if (equal !== undefined) return equal
    if (alike === undefined) this.#byText.set(text, [code])
    else alike.push(code)
    return code
  }

  #forget(code: Code): void {
    this.#codes.delete(code)
    if (code.kind === 'later') return
    const text = textOf(code.definition)
    const left = (this.#byText.get(text) ?? []).filter((other) => other !== code)
    if (left.length === 0) this.#byText.delete(text)
    else this.#byText.set(text, left)
  }
}

function oldest<K>(map: ReadonlyMap<K, unknown>): K {
  return (map.keys().next() as { value: K }).value
}

function textOf(definition: CodeDefinition): string {
  return definition.type === 'known' ? definition.hash : definition.source
}

function isEqual(a: Code, b: Code): boolean {
  if (a.kind === 'later' || b.kind === 'later') return false
  const [x, y] = [a.definition, b.definition]
  if (x.type !== y.type || x.name !== y.name || a.callSite !== b.callSite || !isSame(a.facts, b.facts)) return false
  if (x.type !== 'inline' || y.type !== 'inline') return true
  return x.isClass === y.isClass && isSameValue(x.uses, y.uses)
}

function isSameValue(a: EncodedValue | undefined, b: EncodedValue | undefined): boolean {
  if (a === undefined || b === undefined) return a === b
  return (
    isSame(a.body, b.body) &&
    a.refs.length === b.refs.length &&
    a.refs.every(({ owner, number }, n) => owner === b.refs[n]?.owner && number === b.refs[n].number) &&
    a.buffers.length === b.buffers.length &&
    a.buffers.every((buffer, n) => isSame(buffer, b.buffers[n]))
  )
}

function isSame(a: Uint8Array, b: Uint8Array | undefined): boolean {
  return a.length === b?.length && a.every((byte, n) => byte === b[n])
}

/** Infinity, which JSON does not know, is an option. */
function optionsText(options: ResolvedOptions): string {
  return JSON.stringify(options, (_, value: unknown) => (typeof value === 'number' ? String(value) : value))
}
