import type { JSX } from 'preact'

/** Three fish, one behind the other. */
export function Logo(): JSX.Element {
  return (
    <svg class="logo" viewBox="0 0 32 32" aria-hidden="true">
      <path d="M3 8q7-5 12 0l4-3v6l-4-3q-5 5-12 0zM13 16q7-5 12 0l4-3v6l-4-3q-5 5-12 0zM3 24q7-5 12 0l4-3v6l-4-3q-5 5-12 0z" />
    </svg>
  )
}
