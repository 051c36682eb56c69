import type { LogLine } from '@shoal/protocol'
import { mapText } from './map-stacks.ts'
import type { StackSources } from './map-stacks.ts'

/**
 * Shows what tasks print, with the user's lines in stacks, in the order in which it came: a line whose stack has to be
 * mapped first holds up those behind it.
 */
export function createLinePrinter(
  sources: StackSources,
  print: (level: LogLine['level'], text: string, line: LogLine) => void,
): (line: LogLine) => void {
  let last: Promise<void> | undefined
  return (line) => {
    const show = (text: string): void =>
      print(line.level, `(${line.name} @${line.node.slice(0, 6)}) ${text}`, { ...line, text })
    const mapped = mapText(line.text, sources)
    if (mapped === undefined && last === undefined) {
      show(line.text)
      return
    }
    const turn = Promise.resolve(last)
      .then(() => mapped ?? line.text)
      .then((text) => {
        if (last === turn) last = undefined
        show(text)
      })
    last = turn
  }
}
