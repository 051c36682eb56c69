import { expect, it } from 'vitest'
import type { StateRows } from '@shoal/node'
import { askTaskEvents } from './ask-task-events.ts'

const [A, B, C] = ['a', 'b', 'c'].map((digit) => digit.repeat(32)) as [string, string, string]
const answer = (rows: readonly object[], missing: readonly string[] = []) =>
  ({
    rows,
    missing,
    total: rows.length,
    numFiltered: rows.length,
    isTruncated: false,
    warnings: ['w'],
  }) as unknown as StateRows

it('[SQ7] the cursor keeps the place of a tab that was late, and a tab that is gone is named once', async () => {
  const asked: unknown[] = []
  const batch = { nodeId: A, next: { runs: 7, ends: 1 } }
  const first = await askTaskEvents(
    (question) => {
      asked.push(question.since)
      return Promise.resolve(answer([batch], [B]))
    },
    { since: { [A]: { runs: 5, ends: 1 }, [B]: { runs: 3, ends: 0 }, [C]: { runs: 9, ends: 2 } } },
  )
  expect(first.cursor).toEqual({ [A]: { runs: 7, ends: 1 }, [B]: { runs: 3, ends: 0 } })
  expect([first.gone, first.missing]).toEqual([[C], [B]])
  expect(first.warnings).toEqual(['w', 'tab cccccccc is gone: what it ran since it last answered is not here'])
  const next = await askTaskEvents(() => Promise.resolve(answer([batch])), { since: first.cursor })
  expect([next.gone, next.cursor]).toEqual([[B], { [A]: { runs: 7, ends: 1 } }])
})

it('[SQ7] a time that is none is refused', async () => {
  await expect(askTaskEvents(() => Promise.resolve(answer([])), { timeoutMs: 0 })).rejects.toThrow(RangeError)
})
