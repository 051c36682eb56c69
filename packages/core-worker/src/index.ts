export { ActorClass, contentOf, makeHandle, methodRecord, methodsOf, nameActorClass } from './actor-class.ts'
export type { ActorHandle, ActorIdentity, ActorMethod, ActorMethodFacts } from './actor-class.ts'
export { arityOf, constructorArity } from './arity.ts'
export type { Arity } from './arity.ts'
export type { Argument, Arguments, RefParameter, Returns } from './call-types.ts'
export { createApi, pageContext } from './api.ts'
export type {
  Api,
  ApiHost,
  CancelOptions,
  GetActorOptions,
  KillOptions,
  ModuleScope,
  PutOptions,
  RuntimeContext,
} from './api.ts'
export { callSiteOf } from './code.ts'
export type { Code, InlineCode } from './code.ts'
export { CoreWorker } from './core-worker.ts'
export type { CoreWorkerOptions, RefFinalizer } from './core-worker.ts'
export { captureThrown, reviveError } from './error-revival.ts'
export type {
  GpuApi,
  GpuArray,
  GpuArrayType,
  GpuBuffer,
  GpuBuffers,
  GpuInfo,
  GpuInput,
  GpuLimits,
  GpuPass,
  GpuRequest,
  GpuResults,
  GpuRoom,
} from './gpu/gpu-types.ts'
export { createHooks } from './hooks.ts'
export { ObjectRef } from './object-ref.ts'
export { offeredLabels } from './label-options.ts'
export type {
  LabelConditions,
  NodeAffinitySchedulingStrategy,
  NodeLabelSchedulingStrategy,
  SchedulingStrategy,
} from './label-options.ts'
export { actorName, offeredResources } from './options.ts'
export type { ActorCallOptions, ActorOptions, ResolvedOptions, ResourceOptions, TaskOptions } from './options.ts'
export { PlacementGroup } from './placement-group.ts'
export type { Bundle, PlacementGroupSchedulingStrategy } from './placement-group.ts'
export { createPlacementGroupApi } from './placement-group-api.ts'
export type { PlacementGroupApi, PlacementGroupOptions } from './placement-group-api.ts'
export { ObjectRefGenerator } from './ref-generator.ts'
export { nameFunction, RemoteFunction } from './remote-function.ts'
export type { CoreWorkerSource, FunctionIdentity } from './remote-function.ts'
export { textMark } from './text-mark.ts'
export type { GetOptions, WaitOptions } from './waits.ts'
export { StateQueries } from './state/state-queries.ts'
export type {
  ActorState,
  Amounts,
  NodeState,
  ObjectState,
  PlacementGroupState,
  StateApi,
  StateFilter,
  StateId,
  StateOptions,
  StateResult,
  StateTimeout,
  TaskEventBatch,
  TaskEvents,
  TaskEventsCursor,
  RunColumns,
  EndedAttempt,
  TaskState,
  TaskSummary,
  WorkerState,
} from './state/state-types.ts'
export { STATE_FUNCTIONS } from './state/state-types.ts'
export type { CheckedQuestion } from './state/state-question.ts'
