import { mkdir, mkdtemp, realpath, rm, utimes, writeFile } from 'node:fs/promises'
import os from 'node:os'
import path from 'node:path'

/** A folder with files of a test, removed at the end of its scope. */
export interface TemporaryProject {
  readonly root: string
  path(name: string): string
  /** Writes files, by path relative to the root. A rewritten file is newer than before, whatever the clock's grain. */
  write(files: Readonly<Record<string, string>>): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

export async function temporaryProject(files: Readonly<Record<string, string>>): Promise<TemporaryProject> {
  const root = await realpath(await mkdtemp(path.join(os.tmpdir(), 'shoal-')))
  let age = 1000
  const project: TemporaryProject = {
    root,
    path: (name) => path.join(root, name),
    async write(more) {
      for (const [name, text] of Object.entries(more)) {
        const file = path.join(root, name)
        await mkdir(path.dirname(file), { recursive: true })
        await writeFile(file, text)
        await utimes(file, age, age++)
      }
    },
    [Symbol.asyncDispose]: () => rm(root, { recursive: true, force: true }),
  }
  await project.write(files)
  return project
}
