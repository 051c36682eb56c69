// Text search over files that were dropped on the page: one task a file, the matches as they come.
import { get, remote } from '@shoal/sdk'

export interface Match {
  /** 1-based. */
  readonly line: number
  readonly text: string
}

export interface FoundFile {
  readonly name: string
  readonly matches: readonly Match[]
  /** In words, when the file could not be searched. */
  readonly problem: string | undefined
}

const LONGEST_LINE = 200

/** The lines of a text that contain the words, whatever their case. Throws for what is no text. */
const search = remote(async (file: Blob, words: string, longest: number): Promise<Match[]> => {
  // `fatal`: bytes that are no UTF-8 are an error, which arrives at the page as the cause of a TaskError.
  const text = new TextDecoder('utf-8', { fatal: true }).decode(await file.arrayBuffer())
  const wanted = words.toLowerCase()
  const matches: Match[] = []
  text.split(/\r?\n/).forEach((line, index) => {
    if (line.toLowerCase().includes(wanted)) matches.push({ line: index + 1, text: line.trim().slice(0, longest) })
  })
  return matches
})

/** Searches all files at once and calls back with each file's matches, in the order in which tasks end. */
export async function searchFiles(
  files: readonly File[],
  words: string,
  onFile: (found: FoundFile) => void,
): Promise<number> {
  if (words.trim() === '') throw new RangeError('what shall be searched for?')
  let total = 0
  const searchFile = async (file: File): Promise<void> => {
    // A File is an argument like any other. `using` releases the ref at the end of the block.
    using found = search.remote(file, words, LONGEST_LINE)
    try {
      const matches = await get(found, { timeoutMs: 30_000 })
      total += matches.length
      onFile({ name: file.name, matches, problem: undefined })
    } catch (error) {
      // One file that is no text does not end the search of the others.
      onFile({ name: file.name, matches: [], problem: error instanceof Error ? error.message : String(error) })
    }
  }
  await Promise.all(files.map(searchFile))
  return total
}
