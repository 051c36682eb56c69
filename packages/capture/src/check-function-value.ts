/**
 * Judges what the text alone cannot show: whether the value is the function of that text, and whether it carries members
 * the text does not have. Lowered statics and legacy decorators stand *after* a class, so that its text looks whole and
 * gives wrong results without any error.
 */
import type { AnyNode, Class } from 'acorn'
import { refuse, type CaptureRefused, type Finding } from './capture-report.ts'
import { describeFunction, type FunctionFacts, type MemberFact } from './function-facts.ts'
import { parseFunction } from './parse-function.ts'

/**
 * Checks a function's value against the text that will ship.
 * @param source the text that ships: `Function.prototype.toString` of the value
 * @returns what stands in the way, or undefined
 */
export function checkFunctionValue(value: unknown, source: string): CaptureRefused | undefined {
  const facts = describeFunction(value)
  if (!facts) return refuse({ reason: 'wrong-kind', identifier: typeof value, start: 0 }, source, asFunction)
  if (facts.source !== source) {
    const identifier = facts.name || 'this function'
    return refuse({ reason: 'no-source', identifier, start: 0 }, source, asFunction)
  }
  return checkFunctionFacts(facts)
}

const asFunction = { kind: 'function', hasUses: false } as const

/** The same for a description made elsewhere, in the page, where there is no parser. Text that does not parse is not judged here. */
export function checkFunctionFacts(facts: FunctionFacts): CaptureRefused | undefined {
  const { source, name } = facts
  if (facts.isNative) {
    const identifier = facts.isBound ? name : name || 'native code'
    return refuse({ reason: 'no-source', identifier, start: 0 }, source, asFunction)
  }
  const parsed = parseFunction(source)
  if (!('root' in parsed)) return undefined
  if (parsed.root.type !== 'ClassExpression') {
    const extra = facts.statics[0] ?? facts.members[0]
    return extra && refuse({ reason: 'hidden-member', identifier: extra.name, start: 0 }, source, asFunction)
  }
  const finding = judgeMembers(parsed.root as Class, facts)
  return finding && refuse(finding, source, { kind: 'class', hasUses: false })
}

function judgeMembers(root: Class, facts: FunctionFacts): Finding | undefined {
  const shown = shownMembers(root)
  return (
    judgeSide(facts.statics, shown.statics, (name) => `static ${name}`) ??
    judgeSide(facts.members, shown.members, (name) => name)
  )
}

function judgeSide(facts: readonly MemberFact[], shown: Shown, label: (name: string) => string): Finding | undefined {
  // How often a computed key was used cannot be told from its text: it stands for one member.
  let computed = shown.computed
  for (const { name, isSymbol, isInText } of facts) {
    const isShown = !isSymbol && shown.names.has(name)
    if (!isShown && computed-- <= 0) return { reason: 'hidden-member', identifier: label(name), start: 0 }
    // A field may hold any function; a method is its text.
    if (isShown && shown.methods.has(name) && !isInText)
      return { reason: 'decorated', identifier: label(name), start: 0 }
  }
  return undefined
}

interface Shown {
  readonly names: Set<string>
  readonly methods: Set<string>
  computed: number
}

function shownMembers(root: Class): { statics: Shown; members: Shown } {
  const statics: Shown = { names: new Set(), methods: new Set(), computed: 0 }
  const members: Shown = { names: new Set(), methods: new Set(), computed: 0 }
  for (const member of root.body.body) {
    if (member.type === 'StaticBlock') {
      collectAssigned(member.body, root.id?.name, statics.names)
      continue
    }
    // Instance fields are not on the prototype.
    if (member.type === 'PropertyDefinition' && !member.static) continue
    if (member.key.type === 'PrivateIdentifier') continue
    const side = member.static ? statics : members
    const name = member.computed ? undefined : keyName(member.key)
    if (name === undefined) side.computed++
    else {
      side.names.add(name)
      if (member.type === 'MethodDefinition') side.methods.add(name)
    }
  }
  return { statics, members }
}

function keyName(key: AnyNode): string | undefined {
  if (key.type === 'Identifier') return key.name
  return key.type === 'Literal' ? String(key.value) : undefined
}

/** The names that a static block gives its class: `this.limit = 5` or `A.limit = 5`. */
function collectAssigned(nodes: readonly unknown[], className: string | undefined, names: Set<string>): void {
  for (const node of nodes) {
    if (typeof node !== 'object' || node === null) continue
    if (Array.isArray(node)) collectAssigned(node, className, names)
    const typed = node as AnyNode
    if (typed.type === 'AssignmentExpression' && typed.left.type === 'MemberExpression' && !typed.left.computed) {
      const { object, property } = typed.left
      const isClass = object.type === 'ThisExpression' || (object.type === 'Identifier' && object.name === className)
      if (isClass && property.type === 'Identifier') names.add(property.name)
    }
    if (typeof typed.type === 'string') collectAssigned(Object.values(typed), className, names)
  }
}
