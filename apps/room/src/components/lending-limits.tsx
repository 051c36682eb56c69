import type { SessionStatus } from '@shoal/sdk'
import type { ComponentChildren, JSX } from 'preact'
import { useId } from 'preact/hooks'
import { HOURLY_MB, MEMORY_MB, PERCENTS } from '../model/lending-settings.ts'
import type { LendingSettings } from '../model/lending-settings.ts'
import { formatBytes, plural } from '../model/format.ts'
import { usePage } from '../model/page-context.ts'

/** How much this tab lends. They hold at once, and this browser remembers them. */
export function LendingLimits({ status }: { readonly status: SessionStatus }): JSX.Element {
  const { model, settings } = usePage()
  const now = settings.value.value
  const { workers, percent, memoryMb, hourlyMb, onBattery, metered, hidden } = now
  const change = (part: Partial<LendingSettings>): void => {
    settings.change(part)
    model.limitsChanged()
  }
  const most = model.workers.value
  const counts = Array.from({ length: most }, (_, index) => index + 1)
  return (
    <details class="limits">
      <summary>
        Limits <span class="soft">{wordsOf(now, most)}</span>
      </summary>
      <div class="limits-fields">
        <Choice
          label="Workers"
          value={Math.min(workers, most)}
          options={[
            [0, most === 1 ? '1' : `all ${most}`],
            ...counts.slice(0, -1).map((count) => [count, `${count}`] as const),
          ]}
          choose={(value) => change({ workers: value })}
        />
        <Choice
          label="Time at work"
          value={percent}
          options={PERCENTS.map((each) => [each, `${each} %`])}
          choose={(value) => change({ percent: value })}
        />
        <Choice
          label="Memory"
          value={memoryMb}
          options={MEMORY_MB.map((each) => [each, each === 0 ? 'no limit' : `${each} MB`])}
          choose={(value) => change({ memoryMb: value })}
        />
        <Choice
          label="Data an hour"
          value={hourlyMb}
          options={HOURLY_MB.map((each) => [each, each === 0 ? 'no limit' : formatBytes(each * 1e6)])}
          choose={(value) => change({ hourlyMb: value })}
        />
        <fieldset>
          <legend>Pause</legend>
          <Check
            isOn={onBattery}
            isKnown={'getBattery' in navigator}
            set={(isOn) => change({ onBattery: isOn })}
            label="on battery"
          />
          <Check
            isOn={metered}
            isKnown={'connection' in navigator}
            set={(isOn) => change({ metered: isOn })}
            label="on a metered network"
          />
          <Check isOn={hidden} isKnown set={(isOn) => change({ hidden: isOn })} label="in the background" />
        </fieldset>
        <p class="soft">
          They hold for work of others and are remembered in this browser.
          {hourlyMb > 0 && ` In the last hour: ${formatBytes(status.bytesLastHour)}.`}
        </p>
      </div>
    </details>
  )
}

/** What differs from lending everything, in a line. */
function wordsOf({ workers, percent, memoryMb, hourlyMb, ...pauses }: LendingSettings, most: number): string {
  const words = [
    workers > 0 && workers < most ? plural(workers, 'worker') : most === 1 ? '1 worker' : `all ${most} workers`,
    ...(percent < 100 ? [`${percent} % of the time`] : []),
    ...(memoryMb > 0 ? [`${memoryMb} MB`] : []),
    ...(hourlyMb > 0 ? [`${formatBytes(hourlyMb * 1e6)} an hour`] : []),
    ...(pauses.onBattery ? ['not on battery'] : []),
    ...(pauses.hidden ? ['only while visible'] : []),
  ]
  return words.join(' · ')
}

interface ChoiceProps {
  readonly label: string
  readonly value: number
  readonly options: readonly (readonly [value: number, text: string])[]
  choose(value: number): void
}

function Choice({ label, value, options, choose }: ChoiceProps): JSX.Element {
  const id = useId()
  return (
    <div class="field">
      <label for={id}>{label}</label>
      <select id={id} value={value} onChange={(event) => choose(Number(event.currentTarget.value))}>
        {options.map(([each, text]) => (
          <option key={each} value={each} selected={each === value}>
            {text}
          </option>
        ))}
      </select>
    </div>
  )
}

interface CheckProps {
  readonly isOn: boolean
  readonly isKnown: boolean
  readonly label: ComponentChildren
  set(isOn: boolean): void
}

function Check({ isOn, isKnown, label, set }: CheckProps): JSX.Element {
  return (
    <label class="check">
      <input
        type="checkbox"
        checked={isOn && isKnown}
        disabled={!isKnown}
        onChange={(event) => set(event.currentTarget.checked)}
      />
      <span>
        {label}
        {!isKnown && <small> (this browser does not tell)</small>}
      </span>
    </label>
  )
}
