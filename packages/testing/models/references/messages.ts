import { nodeName, NODES, places } from './room.ts'

/** Every message says its sender's epoch; the sessions of both ends are the transport's and need no field. */
export interface Message {
  readonly type: MessageType
  readonly epoch: number
  /**
   * Tokens, as bits. Of `member.session` a node and its session; of `ledger.gather` the dead, as session + 1 in three bits a node;
   * of `ledger.ended` the nodes whose references were ended, as bits.
   */
  readonly set: number
}

export type MessageType = (typeof TYPES)[number]

const TYPES = [
  'member.session',
  'ref.hand',
  'ref.handCounted',
  'ref.confirm',
  'ref.register',
  'ref.registered',
  'ref.release',
  'ledger.gather',
  'ledger.report',
  'ledger.ended',
  'ledger.epoch',
] as const

/** One number a message, so that a link is a list of numbers and cheap to compare. */
export function packed(message: Message): number {
  return TYPES.indexOf(message.type) | (message.epoch << 4) | (message.set << 12)
}

export function unpacked(number: number): Message {
  const type = TYPES[number & 15]
  if (type === undefined) throw new RangeError(`no message type ${String(number & 15)}`)
  return { type, epoch: (number >> 4) & 255, set: number >> 12 }
}

export function messageWords({ type, epoch, set }: Message): string {
  if (type === 'member.session') {
    return `${type}(${nodeName(set >> 3)} in session ${String(set & 7)}, epoch ${String(epoch)})`
  }
  if (type === 'ledger.epoch') return `${type}(epoch ${String(epoch)})`
  if (type === 'ledger.ended') return `${type}(${places(set).map(nodeName).join(' ')}, epoch ${String(epoch)})`
  if (type === 'ledger.gather') {
    const dead = NODES.filter((node) => sessionInList(set, node) !== undefined).map(nodeName)
    return `${type}(epoch ${String(epoch)}, dead: ${dead.join(' ') || 'none'})`
  }
  return `${type}(${tokenWords(set)}, epoch ${String(epoch)})`
}

export function tokenWords(set: number): string {
  const names = places(set).map((token) => (token === 0 ? 'own' : `h${String(token)}`))
  return names.length === 0 ? 'none' : names.join(' ')
}

/** The session of a node that a `ledger.gather` lists as dead. */
export function sessionInList(list: number, node: number): number | undefined {
  const entry = (list >> (node * 3)) & 7
  return entry === 0 ? undefined : entry - 1
}

export function listEntry(node: number, session: number): number {
  return (session + 1) << (node * 3)
}

export function sessionOf(node: number, session: number): number {
  return (node << 3) | session
}
