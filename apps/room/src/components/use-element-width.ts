import { useEffect, useRef, useState } from 'preact/hooks'
import type { RefObject } from 'preact'

/** An element's width in CSS pixels, kept up to date; 0 before it is laid out. */
export function useElementWidth<E extends HTMLElement>(): readonly [RefObject<E>, number] {
  const ref = useRef<E>(null)
  const [width, setWidth] = useState(0)
  useEffect(() => {
    const element = ref.current
    if (element === null) return undefined
    const observer = new ResizeObserver(() => setWidth(Math.floor(element.clientWidth)))
    observer.observe(element)
    return () => observer.disconnect()
  }, [])
  return [ref, width]
}
