import type { Member, SessionStatus } from '@shoal/sdk'
import type { JSX } from 'preact'
import { useMemo } from 'preact/hooks'
import { formatCount, plural } from '../model/format.ts'
import { usePage } from '../model/page-context.ts'
import { TabChip } from './tab-chip.tsx'

/** Every tab of the room with its mark: the legend of all colours on the page. */
export function WhoIsHere({ status }: { readonly status: SessionStatus }): JSX.Element {
  const { helpers } = usePage()
  const { members } = status
  const slots = members.reduce((sum, member) => sum + member.slots, 0)
  const opened = helpers.nodes.value
  const order = useMemo(() => new Arrivals(), [])
  return (
    <section class="card" aria-labelledby="who-title">
      <h2 id="who-title">Who is here</h2>
      <p class="soft">
        {plural(Math.max(1, members.length), 'tab')}, {plural(slots, 'core')} lent
      </p>
      {/* As high from the start as for a few: what is below stays where it is when somebody comes. */}
      <div class="members-place" role="region" aria-label="Tabs of this room" tabIndex={0}>
        <ul class="members">
          {order.sorted(members).map((member) => (
            <Row
              key={member.nodeId}
              member={member}
              {...(opened.has(member.nodeId) && { kill: () => helpers.kill(member.nodeId) })}
            />
          ))}
        </ul>
        {members.length < 2 && <p class="soft">Nobody else yet. Share the link, or open it in a second window.</p>}
      </div>
    </section>
  )
}

/** This tab first, then as they came: nobody in the list moves because another one comes. */
class Arrivals {
  readonly #places = new Map<string, number>()

  sorted(members: readonly Member[]): Member[] {
    for (const { nodeId } of members) if (!this.#places.has(nodeId)) this.#places.set(nodeId, this.#places.size)
    const placeOf = ({ nodeId, isSelf }: Member): number => (isSelf ? -1 : (this.#places.get(nodeId) ?? 0))
    return [...members].sort((a, b) => placeOf(a) - placeOf(b))
  }
}

interface RowProps {
  readonly member: Member
  /** Of a tab that was opened from here. */
  kill?(): void
}

function Row({ member, kill }: RowProps): JSX.Element {
  const { marks } = usePage()
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
      {member.tasksDone > 0 && (
        <span class="tasks" title={member.isSelf ? 'own tasks that ran here' : 'tasks of this tab that it ran'}>
          {formatCount(member.tasksDone)}
          <small>{member.tasksDone === 1 ? 'task' : 'tasks'}</small>
        </span>
      )}
      {kill !== undefined && (
        <button
          type="button"
          class="small"
          aria-label={`Kill tab ${marks.of(member.nodeId).label}`}
          title="Closes that tab. What it was doing runs again elsewhere."
          onClick={kill}
        >
          Kill it
        </button>
      )}
    </li>
  )
}

const PAUSES: Readonly<Record<string, string>> = {
  battery: 'paused: on battery',
  metered: 'paused: metered network',
  hidden: 'paused: in the background',
  data: 'paused: data used up',
}

/** Short phrases; what is not known yet is left out. */
export function factsOf(member: Member): string[] {
  const { labels, isSelf, state } = member
  const lent = member.slots > 0 ? `${member.slots} of ${plural(member.cores, 'core')}` : plural(member.cores, 'core')
  if (!isSelf && state === 'unreachable') return ['out of reach, needs a relay']
  if (!isSelf && state === 'incompatible') return ['another version: reload it']
  if (!isSelf && state === 'connecting') return [lent, 'connecting']
  const paused = labels['shoal/paused']
  const facts = [lent]
  if (!isSelf) facts.push(member.isDirect ? 'direct' : 'relayed')
  if (!isSelf && member.roundTripMs !== undefined) facts.push(formatRoundTrip(member.roundTripMs))
  if (labels['shoal/speed'] !== undefined) facts.push(`speed ${labels['shoal/speed']}`)
  if (paused !== undefined) facts.push(PAUSES[paused] ?? 'paused')
  else if (labels['shoal/power'] === 'battery') facts.push('on battery')
  if (labels['shoal/network'] === 'metered' && paused !== 'metered') facts.push('metered')
  if (labels['shoal/webgpu'] === 'yes') facts.push('WebGPU')
  return facts
}

function formatRoundTrip(ms: number): string {
  return `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`
}
