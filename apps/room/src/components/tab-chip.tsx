import type { JSX } from 'preact'
import { usePage } from '../model/page-context.ts'

/** A tab's colour and letter. Only a mark: its name belongs beside it. */
export function TabChip({ nodeId }: { readonly nodeId: string }): JSX.Element {
  const { color, ink, label } = usePage().marks.of(nodeId)
  return (
    <span class="chip" style={{ background: color, color: ink }} aria-label={`tab ${label}`} role="img">
      {label}
    </span>
  )
}
