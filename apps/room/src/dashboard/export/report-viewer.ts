/** Runs of a report, a column each. */
export interface ReportRuns {
  readonly names: readonly string[]
  readonly colors: readonly string[]
  readonly lanes: readonly {
    readonly tab: string
    readonly mark: string
    readonly color: string
    readonly ink: string
    readonly worker: number
  }[]
  readonly lane: readonly number[]
  readonly name: readonly number[]
  readonly outcome: readonly number[]
  readonly waited: readonly number[]
  /** Milliseconds since the first. */
  readonly start: readonly number[]
  readonly ran: readonly number[]
  readonly fetched: readonly number[]
  readonly startedAtMs: number
}

/**
 * The script of a report. Its text is put into the file as it is, so that it names nothing outside of itself: it draws the
 * stream, and lets people zoom, pan and pick.
 */
export function reportViewer(runs: ReportRuns): void {
  const canvas = document.querySelector('canvas')
  const said = document.getElementById('picked')
  const context = canvas?.getContext('2d')
  if (canvas === null || said === null || context === null || context === undefined) return
  const [paper, chart, pen] = [canvas, said, context]
  const count = runs.start.length
  const LEFT = 34
  const rowHeight = Math.max(3, Math.min(20, Math.floor(560 / Math.max(1, runs.lanes.length))))
  const order = runs.lanes.map((lane, index) => ({ ...lane, index }))
  order.sort((a, b) => (a.tab < b.tab ? -1 : a.tab > b.tab ? 1 : a.worker - b.worker))
  const rowOf: number[] = []
  order.forEach(({ index }, row) => (rowOf[index] = row))
  const height = order.length * rowHeight + 20
  let last = 1
  for (let i = 0; i < count; i++) last = Math.max(last, (runs.start[i] ?? 0) + (runs.ran[i] ?? 0))
  let from = 0
  let span = last

  function draw(): void {
    const scale = Math.min(2, devicePixelRatio)
    const width = paper.clientWidth
    paper.width = width * scale
    paper.height = height * scale
    paper.style.height = `${height}px`
    pen.setTransform(scale, 0, 0, scale, 0, 0)
    pen.fillStyle = '#f7f8f9'
    pen.fillRect(0, 0, width, height)
    const perMs = (width - LEFT) / span
    for (let i = 0; i < count; i++) {
      const start = runs.start[i] ?? 0
      const ran = runs.ran[i] ?? 0
      const fetched = runs.fetched[i] ?? 0
      if (start + ran < from || start - fetched > from + span) continue
      const y = (rowOf[runs.lane[i] ?? 0] ?? 0) * rowHeight
      const x = LEFT + (start - from) * perMs
      const inner = rowHeight > 5 ? rowHeight - 1 : rowHeight
      if (runs.waited[i] !== 0) {
        pen.fillStyle = runs.waited[i] === 1 ? '#d62f2f' : '#e8870e'
        pen.fillRect(x - fetched * perMs, y + inner * 0.66, Math.max(1, fetched * perMs), inner / 3)
      }
      pen.fillStyle = runs.outcome[i] === 1 ? (runs.colors[runs.name[i] ?? 0] ?? '#888') : '#111'
      pen.fillRect(x, y, Math.max(1, ran * perMs), inner)
    }
    pen.fillStyle = '#f7f8f9'
    pen.fillRect(0, 0, LEFT - 2, height)
    pen.font = '600 11px system-ui, sans-serif'
    pen.textBaseline = 'top'
    order.forEach(({ mark, color, ink, tab }, row) => {
      pen.fillStyle = color
      pen.fillRect(2, row * rowHeight, LEFT - 6, rowHeight - (rowHeight > 5 ? 1 : 0))
      if (order[row - 1]?.tab === tab || rowHeight < 9) return
      pen.fillStyle = ink
      pen.fillText(mark, 8, row * rowHeight + 2)
    })
    pen.fillStyle = '#4a5862'
    pen.font = '11px system-ui, sans-serif'
    for (let part = 0; part < 5; part++)
      pen.fillText(
        `${((from + (span * part) / 5) / 1000).toFixed(3)} s`,
        LEFT + ((width - LEFT) * part) / 5,
        height - 14,
      )
  }

  function zoom(factor: number, share: number): void {
    const at = from + span * share
    span = Math.min(last, Math.max(1, span * factor))
    from = Math.max(0, Math.min(last - span, at - span * share))
    draw()
  }

  function pan(share: number): void {
    from = Math.max(0, Math.min(last - span, from + span * share))
    draw()
  }

  paper.addEventListener(
    'wheel',
    (event) => {
      if (!event.ctrlKey && !event.metaKey && event.deltaX === 0) return
      event.preventDefault()
      const share = (event.offsetX - LEFT) / Math.max(1, paper.clientWidth - LEFT)
      if (event.deltaX === 0 || event.ctrlKey) zoom(Math.exp(event.deltaY / 200), share)
      else pan(event.deltaX / paper.clientWidth)
    },
    { passive: false },
  )
  for (const button of document.querySelectorAll<HTMLButtonElement>('button[data-do]'))
    button.addEventListener('click', () => {
      const what = button.dataset['do']
      if (what === 'in') zoom(0.5, 0.5)
      else if (what === 'out') zoom(2, 0.5)
      else pan(what === 'left' ? -0.3 : 0.3)
    })
  paper.addEventListener('click', (event) => {
    const row = Math.floor(event.offsetY / rowHeight)
    const at = from + ((event.offsetX - LEFT) / Math.max(1, paper.clientWidth - LEFT)) * span
    const slack = (span / Math.max(1, paper.clientWidth)) * 3
    for (let i = count - 1; i >= 0; i--) {
      const start = runs.start[i] ?? 0
      const ran = runs.ran[i] ?? 0
      if (rowOf[runs.lane[i] ?? 0] !== row || at < start - slack || at > start + ran + slack) continue
      const words = ['it ran', 'finished', 'failed', 'was lost'][runs.outcome[i] ?? 0] ?? ''
      const lane = runs.lanes[runs.lane[i] ?? 0]
      const name = runs.names[runs.name[i] ?? 0] ?? ''
      chart.textContent = `${name}: ${words} after ${ran.toFixed(1)} ms, on ${lane?.tab ?? ''}, worker ${lane?.worker ?? 0}`
      return
    }
    chart.textContent = 'Nothing ran there.'
  })
  addEventListener('resize', draw)
  draw()
}
