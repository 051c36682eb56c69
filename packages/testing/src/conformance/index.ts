import { actorCases } from './actor-cases.ts'
import { actorLifeCases } from './actor-life-cases.ts'
import { blockedCases } from './blocked-cases.ts'
import { cancelCases } from './cancel-cases.ts'
import type { DefineCase } from './case.ts'
import { checkpointCases } from './checkpoint-cases.ts'
import { edgeCases } from './edge-cases.ts'
import { errorCases } from './error-cases.ts'
import { functionCases } from './function-cases.ts'
import { groupCases } from './group-cases.ts'
import { placementGroupCases } from './placement-group-cases.ts'
import { refCases } from './ref-cases.ts'
import { resourceCases } from './resource-cases.ts'
import { stateCases } from './state-cases.ts'
import { streamCases } from './stream-cases.ts'
import { taskCases } from './task-cases.ts'
import { valueCases } from './value-cases.ts'
import { waitCases } from './wait-cases.ts'

export type { CaseNeeds, DefineCase, Page } from './case.ts'

/** All cases about tasks, refs, get and wait, functions, errors and actors, in the same words for every kind of room. */
export function conformanceCases(it: DefineCase): void {
  taskCases(it)
  streamCases(it)
  resourceCases(it)
  refCases(it)
  waitCases(it)
  blockedCases(it)
  cancelCases(it)
  functionCases(it)
  valueCases(it)
  errorCases(it)
  actorCases(it)
  actorLifeCases(it)
  checkpointCases(it)
  groupCases(it)
  placementGroupCases(it)
  stateCases(it)
  edgeCases(it)
}
