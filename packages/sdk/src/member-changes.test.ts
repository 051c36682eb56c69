import { describe, expect, it } from 'vitest'
import { memberChanges } from './member-changes.ts'
import type { Member } from './session-types.ts'

function member(nodeId: string, more: Partial<Member> = {}): Member {
  return {
    nodeId,
    isSelf: false,
    name: 'a tab',
    cores: 4,
    slots: 2,
    labels: {},
    tasksDone: 0,
    resources: { CPU: 2 },
    state: 'connecting',
    isDirect: true,
    canSubmit: false,
    roundTripMs: undefined,
    bytesSent: 0,
    bytesReceived: 0,
    ...more,
  }
}

describe('changes of the members', () => {
  it('[SS6] are who came, who went and who is otherwise than before', () => {
    const before = [member('a'), member('b'), member('c')]
    const connected = member('b', { state: 'connected' })
    const after = [member('a'), connected, member('d')]
    expect(memberChanges(before, after)).toEqual({ joined: [member('d')], changed: [connected], left: [member('c')] })
  })

  it('[SS6] are none where only figures moved', () => {
    const before = [member('a', { state: 'connected', roundTripMs: 3 })]
    expect(memberChanges(before, [{ ...before[0], roundTripMs: 4, bytesSent: 100 } as Member])).toBeUndefined()
    expect(memberChanges([], [])).toBeUndefined()
  })
})
