import { functionColor } from '../model/function-colors.ts'
import type { RunStore } from '../model/run-store.ts'
import { reportViewer } from './report-viewer.ts'
import type { ReportRuns } from './report-viewer.ts'

export interface ReportTable {
  readonly title: string
  readonly columns: readonly string[]
  readonly rows: readonly (readonly string[])[]
  /** Rows there are; more than are listed are said to be left out. */
  readonly total: number
  readonly notes: readonly string[]
}

export interface ReportInput {
  readonly madeAt: Date
  readonly room: string
  readonly runs: RunStore
  readonly tables: readonly ReportTable[]
  /** Sentences about what the report does not have. */
  readonly missing: readonly string[]
  nameOf(nodeId: string): string
  markOf(nodeId: string): { readonly label: string; readonly color: string; readonly ink: string }
}

/** In the file; at some 30 bytes each it stays below a megabyte or two. */
export const MOST_REPORTED = 30_000

/** One file that opens from a disk without a network: what the dashboard shows, as tables and as a stream to zoom into. */
export function toReport(input: ReportInput): string {
  const { madeAt, room, runs, tables } = input
  const from = Math.max(runs.first, runs.next - MOST_REPORTED)
  const shown = runs.next - from
  const missing = [
    `${shown} of ${runs.next + runs.dropped + runs.unseen} runs are in this file: ` +
      [
        `${from} are older than what it holds`,
        `${runs.unseen} ended before the dashboard was opened`,
        `${runs.dropped} were overwritten before they were read`,
      ].join(', ') +
      '.',
    'What was running when it was made is not in the stream. Arguments and results of tasks are in no part of it.',
    ...input.missing,
  ]
  const data = JSON.stringify(toRuns(input, from)).replaceAll('<', String.raw`\u003c`)
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'">
<title>Shoal report, ${escape(madeAt.toLocaleString())}</title>
<style>${STYLE}</style>
</head>
<body>
<h1>Shoal report</h1>
<p>Made ${escape(madeAt.toString())} of ${escape(room)}. It needs no network.</p>
<h2>Task stream</h2>
<p><button data-do="in">+</button> <button data-do="out">−</button> <button data-do="left" aria-label="earlier">←</button> <button data-do="right" aria-label="later">→</button>
<output id="picked">Click a task to see what it was.</output></p>
<canvas role="img" aria-label="${shown} runs by tab and worker"></canvas>
<p class="legend">A colour a function: ${runs.names.map((name, at) => `<span><i style="background:${functionColor(at)}"></i>${escape(name)}</span>`).join(' ')}. Thin red: transfer. Thin orange: from disk. Black: failed.</p>
${tables.map(tableHtml).join('\n')}
<h2>What this report does not have</h2>
<ul>${missing.map((text) => `<li>${escape(text)}</li>`).join('')}</ul>
<script type="application/json" id="runs">${data}</script>
<script>(${reportViewer.toString()})(JSON.parse(document.getElementById('runs').textContent))</script>
</body>
</html>
`
}

function tableHtml({ title, columns, rows, total, notes }: ReportTable): string {
  const head = columns.map((column) => `<th scope="col">${escape(column)}</th>`).join('')
  const body = rows.map((row) => `<tr>${row.map((cell) => `<td>${escape(cell)}</td>`).join('')}</tr>`).join('')
  const table =
    rows.length === 0 ? '<p>None.</p>' : `<table><thead><tr>${head}</tr></thead><tbody>${body}</tbody></table>`
  const said = notes.map((note) => `<p>${escape(note)}</p>`).join('')
  return `<h2>${escape(title)} <small>${rows.length} of ${Math.max(total, rows.length)}</small></h2>${table}${said}`
}

function toRuns({ runs, nameOf, markOf }: ReportInput, from: number): ReportRuns {
  const seqs = Array.from({ length: runs.next - from }, (_, n) => from + n)
  const startedAtMs = seqs.reduce((least, seq) => Math.min(least, runs.startOf(seq)), Infinity)
  const tenths = (ms: number): number => Math.round(ms * 10) / 10
  return {
    names: runs.names,
    colors: runs.names.map((_, place) => functionColor(place)),
    lanes: runs.lanes.map(({ nodeId, worker }) => {
      const { label, color, ink } = markOf(nodeId)
      return { tab: nameOf(nodeId), mark: label, color, ink, worker }
    }),
    lane: seqs.map((seq) => runs.laneOf(seq)),
    name: seqs.map((seq) => runs.nameOf(seq)),
    outcome: seqs.map((seq) => runs.outcomeOf(seq)),
    waited: seqs.map((seq) => runs.waitedOf(seq)),
    start: seqs.map((seq) => tenths(runs.startOf(seq) - startedAtMs)),
    ran: seqs.map((seq) => tenths(runs.endOf(seq) - runs.startOf(seq))),
    fetched: seqs.map((seq) => tenths(runs.fetchedOf(seq))),
    startedAtMs: startedAtMs === Infinity ? 0 : startedAtMs,
  }
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

function escape(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => ENTITIES[character] ?? character)
}

const STYLE = `body{font:15px/1.5 system-ui,sans-serif;max-width:1200px;margin:0 auto;padding:24px 16px 64px;color:#14212b;background:#fff}
h1{font-size:1.5rem}h2{font-size:1.1rem;margin-top:2rem}small{color:#55646f;font-weight:400}
canvas{width:100%;display:block;background:#f7f8f9;border:1px solid #dde4e8}
table{border-collapse:collapse;width:100%;font-size:.875rem}th,td{text-align:left;padding:4px 10px 4px 0;border-bottom:1px solid #dde4e8;vertical-align:top;overflow-wrap:anywhere}
button{min-width:36px;min-height:32px}.legend span{white-space:nowrap;margin-right:10px}.legend i{display:inline-block;width:10px;height:10px;margin-right:4px}output{margin-left:10px;color:#55646f}`
