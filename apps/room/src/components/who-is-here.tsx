import type { Member, SessionStatus } from '@shoal/sdk'
import type { JSX } from 'preact'
import { formatCount, plural } from '../model/format.ts'
import { usePage } from '../model/page-context.ts'
import { TabChip } from './tab-chip.tsx'

/** Every tab of the room with its mark: the legend of all colours on the page. */
export function WhoIsHere({ status }: { readonly status: SessionStatus }): JSX.Element {
  const { runs } = usePage()
  const { members } = status
  const slots = members.reduce((sum, member) => sum + member.slots, 0)
  return (
    <section class="card" aria-labelledby="who-title">
      <h2 id="who-title">Who is here</h2>
      <p class="soft">
        {plural(Math.max(1, members.length), 'tab')}, {plural(slots, 'core')} lent
      </p>
      <ul class="members">
        {[...members].sort(bySelfThenId).map((member) => (
          <Row key={member.nodeId} member={member} tasks={runs.tasksOf(member.nodeId)} />
        ))}
      </ul>
      {members.length < 2 && <p class="soft">Nobody else yet. Share the link, or open it in a second window.</p>}
    </section>
  )
}

function bySelfThenId(a: Member, b: Member): number {
  return Number(b.isSelf) - Number(a.isSelf) || (a.nodeId < b.nodeId ? -1 : 1)
}

function Row({ member, tasks }: { readonly member: Member; readonly tasks: number }): JSX.Element {
  return (
    <li>
      <TabChip nodeId={member.nodeId} />
      <div class="who">
        <span class="name">
          {member.name}
          {member.isSelf && <em> this tab</em>}
        </span>
        <span class="soft facts-line">{factsOf(member).join(' · ')}</span>
      </div>
      {tasks > 0 && (
        <span class="tasks" title="tasks of the current run">
          {formatCount(tasks)}
          <small>tasks</small>
        </span>
      )}
    </li>
  )
}

/** Short phrases; what is not known yet is left out. */
export function factsOf(member: Member): string[] {
  const lent = member.slots > 0 ? `${member.slots} of ${plural(member.cores, 'core')}` : plural(member.cores, 'core')
  if (member.isSelf) return [lent]
  if (member.state === 'connecting') return [lent, 'connecting']
  if (member.state === 'unreachable') return ['out of reach, needs a relay']
  if (member.state === 'incompatible') return ['another version: reload it']
  const facts = [lent, member.isDirect ? 'direct' : 'relayed']
  if (member.roundTripMs !== undefined) facts.push(formatRoundTrip(member.roundTripMs))
  return facts
}

function formatRoundTrip(ms: number): string {
  return `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`
}
