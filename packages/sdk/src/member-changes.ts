import { areSameOptions } from './same-options.ts'
import type { Member, MemberChanges } from './session-types.ts'

/** What became of a room's members; undefined when nothing did. Traffic and round trips are no change. */
export function memberChanges(before: readonly Member[], after: readonly Member[]): MemberChanges | undefined {
  const old = new Map(before.map((member) => [member.nodeId, member]))
  const joined: Member[] = []
  const changed: Member[] = []
  for (const member of after) {
    const was = old.get(member.nodeId)
    old.delete(member.nodeId)
    if (was === undefined) joined.push(member)
    else if (!isSame(was, member)) changed.push(member)
  }
  const left = [...old.values()]
  return joined.length + changed.length + left.length === 0 ? undefined : { joined, changed, left }
}

function isSame(a: Member, b: Member): boolean {
  return (
    a.name === b.name &&
    a.cores === b.cores &&
    a.slots === b.slots &&
    areSameOptions(a.resources, b.resources) &&
    areSameOptions(a.labels, b.labels) &&
    a.state === b.state &&
    a.isDirect === b.isDirect &&
    a.canSubmit === b.canSubmit
  )
}
