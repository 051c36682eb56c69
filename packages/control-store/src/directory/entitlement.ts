import type { NodeId, RoomId } from '@shoal/protocol'

/** A writer as rules see it: the head of its public key's hash, which is what node ids and room ids are made of. */
export type WriterId = string

interface KeyRule {
  /** What stands behind the kind in a key of this rule. */
  readonly rest: RegExp
  readonly isEntitled: (match: RegExpExecArray, writer: WriterId, room: RoomId) => boolean
  /** Whose record it is about; gone when that node is gone for good. Undefined: it is the room's. */
  readonly subject: (match: RegExpExecArray) => NodeId | undefined
}

const named = (match: RegExpExecArray): NodeId => match[1] as NodeId

/**
 * Who may write what: the whole of the directory's law, one line a kind of key. Actors and succession lists get
 * their line here with the rule that decides about them; a kind without one has no entitled writer and is never read.
 */
const RULES: Readonly<Record<string, KeyRule>> = Object.assign(Object.create(null) as Record<string, KeyRule>, {
  /** A node's card: the node itself. */
  node: { rest: /^([0-9a-f]{32})$/, isEntitled: (match, writer) => writer === match[1], subject: named },
  /** Leave to submit work: the room's owner, whose key's hash is the room's id. */
  submitter: { rest: /^([0-9a-f]{32})$/, isEntitled: (_match, writer, room) => writer === room, subject: named },
  /** What holds for the whole room: its owner. */
  room: { rest: /^settings$/, isEntitled: (_match, writer, room) => writer === room, subject: () => undefined },
  /** A driver's run: that driver. */
  job: { rest: /^([0-9a-f]{32})-\d{1,16}$/, isEntitled: (match, writer) => writer === match[1], subject: named },
  /**
   * A name and which actor has it, `name/<slot>/<node>`: that node, of itself. Several may stand for one name after a
   * partition, and readers take the lowest actor id: so no version decides between holders.
   */
  name: ownSlots(),
  /** A placement group and where its bundles are, `group/<slot>/<node>`: its owner. */
  group: ownSlots(),
} satisfies Record<string, KeyRule>)

/** Numbered records of a node about itself. */
function ownSlots(): KeyRule {
  return {
    rest: /^(?:0|[1-9]\d{0,5})\/([0-9a-f]{32})$/,
    isEntitled: (match, writer) => writer === match[1],
    subject: named,
  }
}

/** Pure: every node decides alike, whatever it has seen. */
export function isEntitled(key: string, writer: WriterId, room: RoomId): boolean {
  const found = ruleOf(key)
  return found !== undefined && found.rule.isEntitled(found.match, writer, room)
}

/** The node that a record is about; undefined for the room's own, and for keys of no known kind. */
export function subjectOf(key: string): NodeId | undefined {
  const found = ruleOf(key)
  return found?.rule.subject(found.match)
}

function ruleOf(key: string): { readonly rule: KeyRule; readonly match: RegExpExecArray } | undefined {
  const slash = key.indexOf('/')
  const rule = slash < 0 ? undefined : RULES[key.slice(0, slash)]
  const match = rule?.rest.exec(key.slice(slash + 1))
  return rule && match ? { rule, match } : undefined
}
