/** The connect four demo, loaded when it is first shown: most people come for another one. */
import { useSignal } from '@preact/signals'
import type { FunctionComponent, JSX } from 'preact'
import { useEffect } from 'preact/hooks'
import { messageOf } from '../../model/message-of.ts'
import type { FourPanelProps } from './four-panel.tsx'

type Loaded =
  | { readonly kind: 'loading' }
  | { readonly kind: 'failed'; readonly message: string }
  | { readonly kind: 'there'; readonly Panel: FunctionComponent<FourPanelProps> }

export function FourDemo(props: FourPanelProps): JSX.Element {
  const loaded = useSignal<Loaded>({ kind: 'loading' })
  useEffect(() => {
    import('./four-panel.tsx').then(
      ({ FourPanel }) => (loaded.value = { kind: 'there', Panel: FourPanel }),
      (error: unknown) => (loaded.value = { kind: 'failed', message: messageOf(error) }),
    )
  }, [loaded])
  const state = loaded.value
  if (state.kind === 'there') return <state.Panel {...props} />
  return (
    // As tall as the window: what is below stays out of sight, and is not seen to move when the game is there.
    <section class="card demo" style={{ minHeight: '100vh' }} aria-busy={state.kind === 'loading'}>
      {state.kind === 'loading' ? (
        <p class="soft">Loading the game …</p>
      ) : (
        <p class="outcome failed" role="alert">
          The game could not be loaded: {state.message}. Reload the page to try again.
        </p>
      )}
    </section>
  )
}
