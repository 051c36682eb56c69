import { useSignal } from '@preact/signals'
import type { JSX } from 'preact'
import { usePage } from '../model/page-context.ts'
import { roomPartOf } from '../model/page-url.ts'

/** Opens another tab of this browser that helps at once: the click is its person's consent. */
export function HelperButton({ link }: { readonly link: string }): JSX.Element {
  const { address, helpers } = usePage()
  const said = useSignal('')
  const open = (): void => {
    const part = roomPartOf(link)
    // Here, where the two windows may know each other: the link to hand out may name another address.
    const isOpen = part !== undefined && helpers.open(`${address.linkOf(part)}&auto=help`)
    said.value = isOpen
      ? 'It shares this device’s cores: other devices add more.'
      : 'The browser blocked the new tab. Allow pop-ups for this page, or open the link yourself.'
  }
  return (
    <>
      <button type="button" onClick={open}>
        Open a helper tab
      </button>
      <p class="said" role="status">
        {said.value}
      </p>
    </>
  )
}
