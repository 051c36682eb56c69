import { useSignal } from '@preact/signals'
import type { JSX } from 'preact'
import { useRef } from 'preact/hooks'
import { messageOf } from '../../model/message-of.ts'

/** More would be no network of this size. */
const MOST_BYTES = 4_000_000

/** The network as a file: to keep what was learned, and to go on from it. */
export function NetworkFile({
  save,
  load,
}: {
  readonly save: () => Promise<{ readonly bytes: Uint8Array<ArrayBuffer>; readonly name: string }>
  /** @throws what is wrong with the file. */
  readonly load: (bytes: Uint8Array) => void
}): JSX.Element {
  const picker = useRef<HTMLInputElement>(null)
  const said = useSignal('')

  const onSave = async (): Promise<void> => {
    try {
      const { bytes, name } = await save()
      const address = URL.createObjectURL(new Blob([bytes]))
      const link = document.createElement('a')
      link.href = address
      link.download = name
      link.click()
      URL.revokeObjectURL(address)
      said.value = ''
    } catch (error) {
      said.value = `It could not be saved: ${messageOf(error)}.`
    }
  }
  const onLoad = async (file: File | undefined): Promise<void> => {
    if (file === undefined) return
    try {
      if (file.size > MOST_BYTES) throw new RangeError('it is too large for one')
      load(new Uint8Array(await file.arrayBuffer()))
      said.value = `Goes on from ${file.name}.`
    } catch (error) {
      said.value = `This file is no network for this demo: ${messageOf(error)}.`
    }
  }

  return (
    <div class="actions four-file">
      <button type="button" class="small" onClick={() => void onSave()}>
        Save the network
      </button>
      <button type="button" class="small" onClick={() => picker.current?.click()}>
        Load one
      </button>
      <input
        ref={picker}
        type="file"
        class="unseen"
        tabIndex={-1}
        aria-label="A network that was saved here"
        onChange={(event) => {
          void onLoad(event.currentTarget.files?.[0])
          // So that the same file can be picked again.
          event.currentTarget.value = ''
        }}
      />
      <span class="soft" role="status">
        {said.value}
      </span>
    </div>
  )
}
