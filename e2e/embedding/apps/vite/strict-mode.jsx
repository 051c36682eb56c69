import { StrictMode, useEffect, useState } from 'react'
import { createRoot } from 'react-dom/client'
import { get, init, remote, shutdown } from '@shoal/sdk'

const square = remote((n) => n * n)
window.starts = 0

// StrictMode runs the effect, its clean-up and the effect again: init, shutdown, init.
function Square({ of }) {
  const [value, setValue] = useState('...')
  useEffect(() => {
    let isOver = false
    window.starts++
    init({ workers: 1 })
      .then(() => get(square.remote(of)))
      .then((result) => isOver || setValue(result))
      .catch((error) => isOver || setValue(String(error)))
    return () => {
      isOver = true
      void shutdown()
    }
  }, [of])
  return <output>{value}</output>
}

createRoot(document.getElementById('root')).render(
  <StrictMode>
    <Square of={12} />
  </StrictMode>,
)
