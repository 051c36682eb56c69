import type { ComponentType, JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { messageOf } from '../model/message-of.ts'

type Loaded = { readonly Panel: ComponentType } | { readonly error: string }

/** A demo whose code is fetched when it is chosen. `load` has to be the same function each time. */
export function LazyPanel({ load }: { readonly load: () => Promise<ComponentType> }): JSX.Element {
  const [loaded, setLoaded] = useState<Loaded | undefined>(undefined)
  const [tries, setTries] = useState(1)
  useEffect(() => {
    let isWanted = true
    const say = (next: Loaded): void => {
      if (isWanted) setLoaded(next)
    }
    load().then(
      (Panel) => say({ Panel }),
      (error: unknown) => say({ error: messageOf(error) }),
    )
    return () => {
      isWanted = false
    }
  }, [load, tries])

  if (loaded !== undefined && 'Panel' in loaded) return <loaded.Panel />
  return (
    <section class="card demo loading">
      {loaded === undefined ? (
        <p class="soft" role="status">
          Loading the demo …
        </p>
      ) : (
        <>
          <p class="outcome failed" role="alert">
            The demo could not be loaded: {loaded.error}
          </p>
          <button
            type="button"
            onClick={() => {
              setLoaded(undefined)
              setTries(tries + 1)
            }}
          >
            Try again
          </button>
        </>
      )}
    </section>
  )
}
