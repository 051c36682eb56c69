import type { JSX } from 'preact'
import { usePage } from '../model/page-context.ts'

/** The run's seed, which the URL keeps. */
export function Seed({ isDisabled }: { readonly isDisabled: boolean }): JSX.Element {
  const { address } = usePage()
  return (
    <label class="seed">
      Seed
      <input
        type="number"
        min={0}
        max={4_294_967_295}
        step={1}
        inputMode="numeric"
        value={address.url.value.seed}
        disabled={isDisabled}
        onChange={(event) => {
          const seed = event.currentTarget.valueAsNumber
          if (Number.isSafeInteger(seed) && seed >= 0 && seed <= 0xffff_ffff) address.change({ seed })
          else event.currentTarget.value = String(address.url.peek().seed)
        }}
      />
    </label>
  )
}
