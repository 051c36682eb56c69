import { useSignal } from '@preact/signals'
import type { JSX } from 'preact'
import { useMemo, useRef } from 'preact/hooks'
import { encode } from 'uqr'
import { usePage } from '../model/page-context.ts'
import { HelperButton } from './helper-button.tsx'

/** The helper's link as text, to copy, and as a QR code. */
export function Invite({ link }: { readonly link: string }): JSX.Element {
  const { model } = usePage()
  const field = useRef<HTMLInputElement>(null)
  const said = useSignal('')
  const copy = async (): Promise<void> => {
    said.value = (await copyText(link, field.current)) ? 'Copied' : 'Selected: press Ctrl+C or ⌘C'
  }
  return (
    <section class="card invite" aria-labelledby="invite-title">
      <h2 id="invite-title">Invite tabs</h2>
      <p class="soft">Open this link in another tab, browser or phone. It lets a tab work, not give work.</p>
      <div class="copy">
        <input
          ref={field}
          readOnly
          value={link}
          aria-label="The room’s link for helpers"
          onFocus={(event) => event.currentTarget.select()}
        />
        <button type="button" class="primary" onClick={() => void copy()}>
          Copy
        </button>
      </div>
      <p class="said" role="status">
        {said.value}
      </p>
      {model.canSubmit.value && <HelperButton link={link} />}
      <QrCode text={link} />
    </section>
  )
}

/** Drawn as one path on a white ground, in both themes: many cameras do not read inverted codes. */
function QrCode({ text }: { readonly text: string }): JSX.Element {
  const { size, path } = useMemo(() => {
    const code = encode(text, { ecc: 'M', border: 2 })
    const rows = code.data.map((row, y) => row.map((isDark, x) => (isDark ? `M${x} ${y}h1v1h-1z` : '')).join(''))
    return { size: code.size, path: rows.join('') }
  }, [text])
  return (
    <svg
      class="qr"
      viewBox={`0 0 ${size} ${size}`}
      role="img"
      aria-label="QR code of the link"
      shape-rendering="crispEdges"
    >
      <rect width={size} height={size} fill="#fff" />
      <path d={path} fill="#101820" />
    </svg>
  )
}

/** A page on plain http has no clipboard API; then the text is selected and the old command tried. */
async function copyText(text: string, field: HTMLInputElement | null): Promise<boolean> {
  const clipboard = navigator.clipboard as Clipboard | undefined
  try {
    if (clipboard !== undefined) {
      await clipboard.writeText(text)
      return true
    }
  } catch {
    // Refused by the person or a policy: the old way may still work.
  }
  field?.focus()
  field?.select()
  return document.execCommand('copy')
}
