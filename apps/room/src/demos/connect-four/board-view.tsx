import type { JSX } from 'preact'
import { useRef, useState } from 'preact/hooks'
import { boardKey } from './board-keys.ts'
import { cellOf, COLUMNS, heightOf, ROWS } from './board.ts'
import type { MatchState } from './match.ts'

/** Of a cell, in the drawing's units. */
const CELL = 100
const RADIUS = 40
const WIDTH = COLUMNS * CELL
const HEIGHT = ROWS * CELL

/**
 * The board: discs fall behind a plate with holes, and over it lies one button a column. Who began has discs with a cross, the
 * other has discs with a ring, so that they differ without colours.
 */
export function BoardView({
  match,
  onPlay,
}: {
  readonly match: MatchState
  readonly onPlay: (column: number) => void
}): JSX.Element {
  const [looked, look] = useState<number | undefined>(undefined)
  const buttons = useRef<(HTMLButtonElement | null)[]>([])
  const isYours = match.phase.kind === 'yours'
  const [stop, setStop] = useState(3)

  const onKeyDown = (event: KeyboardEvent): void => {
    if (event.ctrlKey || event.metaKey || event.altKey) return
    const meant = boardKey(event.key, stop, COLUMNS)
    if (meant === undefined) return
    event.preventDefault()
    setStop(meant.column)
    buttons.current[meant.column]?.focus()
    if (meant.kind === 'drop') onPlay(meant.column)
  }

  return (
    <div class="four-board" onKeyDown={onKeyDown} onPointerLeave={() => look(undefined)}>
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} aria-hidden="true">
        <g class={match.line.length > 0 ? 'discs won' : 'discs'}>
          {[...match.board].map(
            (disc, cell) => disc !== 0 && <Disc key={cell} disc={disc} cell={cell} match={match} />,
          )}
          {isYours && looked !== undefined && heightOf(match.board, looked) < ROWS && (
            <g class="ghost" transform={placeOf(cellOf(looked, heightOf(match.board, looked)))}>
              <Face disc={match.you + 1} />
            </g>
          )}
        </g>
        <path class="plate" fill-rule="evenodd" d={PLATE} />
        {match.line.length > 0 && <Four line={match.line} />}
      </svg>
      <div class="four-columns" role="group" aria-label="Columns of the board. Keys: 1 to 7, or arrows and Enter.">
        {Array.from({ length: COLUMNS }, (_, column) => (
          <button
            key={column}
            ref={(element) => {
              buttons.current[column] = element
            }}
            type="button"
            tabIndex={column === stop ? 0 : -1}
            aria-label={describeColumn(match, column)}
            aria-disabled={!isYours || heightOf(match.board, column) === ROWS}
            onClick={() => onPlay(column)}
            onFocus={() => {
              setStop(column)
              look(column)
            }}
            onBlur={() => look(undefined)}
            onPointerEnter={(event) => event.pointerType === 'mouse' && look(column)}
          />
        ))}
      </div>
    </div>
  )
}

function Disc({
  disc,
  cell,
  match,
}: {
  readonly disc: number
  readonly cell: number
  readonly match: MatchState
}): JSX.Element {
  const isFour = match.line.includes(cell)
  const classes = ['disc', cell === match.last && 'fresh', isFour && 'winning'].filter((name) => name !== false)
  // From above the board: as far as it falls, so long.
  const rows = ROWS - Math.floor(cell / COLUMNS)
  return (
    <g transform={placeOf(cell)}>
      <g
        class={classes.join(' ')}
        style={{ '--fall': `${-rows * CELL}px`, '--fall-time': `${90 + 130 * Math.sqrt(rows)}ms` }}
      >
        <Face disc={disc} />
      </g>
    </g>
  )
}

function Face({ disc }: { readonly disc: number }): JSX.Element {
  return disc === 1 ? (
    <g class="first">
      <circle r={RADIUS + 2} />
      <path d="M-15-15 15 15M15-15-15 15" />
    </g>
  ) : (
    <g class="second">
      <circle r={RADIUS + 2} />
      <circle class="ring" r="17" />
    </g>
  )
}

/** One disc, as large as text. */
export function DiscMark({ disc }: { readonly disc: number }): JSX.Element {
  return (
    <svg class="four-disc" viewBox="-44 -44 88 88" aria-hidden="true">
      <Face disc={disc} />
    </svg>
  )
}

/** A line through the four, over everything. */
function Four({ line }: { readonly line: readonly number[] }): JSX.Element {
  const [from, to] = [line[0] ?? 0, line.at(-1) ?? 0].map((cell) => centreOf(cell))
  const ends = { x1: from?.[0], y1: from?.[1], x2: to?.[0], y2: to?.[1] }
  return (
    <g class="line">
      <line class="under" {...ends} />
      <line {...ends} />
    </g>
  )
}

function describeColumn({ board, you, phase }: MatchState, column: number): string {
  const height = heightOf(board, column)
  const discs = Array.from({ length: height }, (_, row) => (board[cellOf(column, row)] === you + 1 ? 'you' : 'machine'))
  const content = height === 0 ? 'empty' : `from below: ${discs.join(', ')}`
  const state = height === ROWS ? ', full' : phase.kind === 'thinking' ? ', not your turn' : ''
  return `Column ${column + 1}, ${content}${state}`
}

function centreOf(cell: number): readonly [number, number] {
  return [((cell % COLUMNS) + 0.5) * CELL, (ROWS - Math.floor(cell / COLUMNS) - 0.5) * CELL]
}

function placeOf(cell: number): string {
  return `translate(${centreOf(cell).join(' ')})`
}

/** The plate's outline and its holes. */
const PLATE = [
  `M0 0H${WIDTH}V${HEIGHT}H0Z`,
  ...Array.from({ length: COLUMNS * ROWS }, (_, cell) => {
    const [x, y] = centreOf(cell)
    return `M${x - RADIUS} ${y}a${RADIUS} ${RADIUS} 0 1 0 ${2 * RADIUS} 0a${RADIUS} ${RADIUS} 0 1 0 ${-2 * RADIUS} 0Z`
  }),
].join('')
