import { parseArgs } from 'node:util'

export const PARTS = [
  'local',
  'streams',
  'remote',
  'actors',
  'objects',
  'scaling',
  'learning',
  'owners',
  'chains',
  'tasks',
  'dashboard',
] as const
export type Part = (typeof PARTS)[number]

export interface BenchOptions {
  readonly parts: readonly Part[]
  /** How many tasks go to another tab while memory is looked at. */
  readonly tasks: number
}

const DEFAULT_TASKS = 200_000

/** @throws Error that says which flag is wrong. */
export function benchOptions(args: readonly string[]): BenchOptions {
  const { values } = parseArgs({
    args: [...args],
    options: { only: { type: 'string' }, tasks: { type: 'string' } },
    strict: true,
  })
  const parts = values.only?.split(',') ?? [...PARTS]
  const unknown = parts.find((part) => !isPart(part))
  if (unknown !== undefined) throw new Error(`--only takes ${PARTS.join(', ')}, got ${unknown}`)
  const tasks = Number(values.tasks ?? DEFAULT_TASKS)
  if (!Number.isInteger(tasks) || tasks < 1_000) throw new Error(`--tasks takes a whole number from 1,000 on`)
  return { parts: parts.filter(isPart), tasks }
}

function isPart(name: string): name is Part {
  return (PARTS as readonly string[]).includes(name)
}
