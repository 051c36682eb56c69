export { ByteReader, ByteWriter } from './bytes.ts'
export type { Crypto, KeyPair } from './crypto.ts'
export {
  ActorDiedError,
  ActorError,
  ActorUnavailableError,
  ActorNotFoundError,
  PendingCallsLimitExceededError,
  CaptureError,
  GetTimeoutError,
  GpuDeviceLostError,
  GpuError,
  makeError,
  NodeDiedError,
  ObjectFreedError,
  ObjectLostError,
  ObjectReconstructionFailedError,
  ObjectStoreFullError,
  OwnerDiedError,
  PermissionError,
  RoomError,
  SerializationError,
  ShoalError,
  ShutdownError,
  TaskCancelledError,
  TaskError,
  TaskTimeoutError,
  TaskPlacementGroupRemovedError,
  TaskUnschedulableError,
  WorkerCrashedError,
} from './errors.ts'
export type { ErrorCode, ErrorDetails, ReconstructionFailure } from './errors.ts'
export { formatJobId, formatObjectId, parseNodeId, parseObjectId, showId } from './id-text.ts'
export {
  attempt,
  compareAttempts,
  FIRST_ATTEMPT,
  fromHex,
  functionHash,
  functionHashOf,
  jobId,
  nodeId,
  nodeIdOfKeyHash,
  objectId,
  parseRoomId,
  randomNodeId,
  roomIdOfKeyHash,
  toHex,
} from './ids.ts'
export type { ActorId, Attempt, FunctionHash, JobId, NodeId, ObjectId, RoomId, Session, TaskId } from './ids.ts'
export {
  ANY_NODE,
  GPU_LABEL,
  hasLabels,
  labelSelector,
  namedNode,
  NODE_ID_LABEL,
  nodeLabels,
  showLabels,
} from './labels.ts'
export type { LabelSelector, LabelTerm, NodeLabels } from './labels.ts'
export { LIMITS } from './limits.ts'
export type {
  ActorCall,
  ActorCheckpoint,
  ActorCovered,
  ActorCreate,
  ActorEnd,
  ActorKept,
  ActorOrder,
  ActorPlace,
  ActorRevival,
  ActorStatus,
  CallOrder,
  ExecutedCalls,
} from './messages/actor.ts'
export { actorFacts } from './messages/actor-options.ts'
export type { ActorFacts, ActorMethodRecord, ActorOptionsRecord } from './messages/actor-options.ts'
export { MOST_CONCURRENCY_GROUPS } from './messages/concurrency-group.ts'
export type { ConcurrencyGroup } from './messages/concurrency-group.ts'
export type { RegisteredName } from './messages/registered-name.ts'
export { bulkChunk } from './messages/bulk.ts'
export type { BulkChunk } from './messages/bulk.ts'
export { directoryRecord, nodeCard, roomSettings, submitterGrant } from './messages/directory.ts'
export type { DirectoryRecord, NodeCard, RoomSettings, SubmitterGrant, WireIceServer } from './messages/directory.ts'
export type {
  LedgerEpoch,
  LedgerHeir,
  LedgerRecord,
  LedgerRecords,
  LedgerReport,
  LedgerTemplate,
  Succession,
} from './messages/ledger.ts'
export { LINK_STATES, linkFrame, linkReport, MAX_HOPS, routedChunk, signedReport } from './messages/link.ts'
export type {
  LinkAcknowledgement,
  LinkFrame,
  LinkHello,
  LinkPacket,
  LinkReport,
  LinkState,
  RoutedChunk,
  RoutedFrame,
  SignedReport,
} from './messages/link.ts'
export { logLine, nodeMessage, readNodeMessages, writeNodeMessage } from './messages/node-message.ts'
export type { LogLine, NodeMessage } from './messages/node-message.ts'
export { nameRecord } from './messages/name.ts'
export type { NameHolding } from './messages/name.ts'
export type { ObjectAnswer, PullSubject } from './messages/object.ts'
export { fromSignalingServer, member, REFUSALS, signal, toSignalingServer } from './messages/signaling.ts'
export type { FromSignalingServer, Member, Refusal, Signal, ToSignalingServer } from './messages/signaling.ts'
export {
  ACTOR_STATES,
  GROUP_SCHEDULING_STATES,
  GROUP_STATES,
  NODE_STATES,
  OBJECT_STATES,
  stateAnswer,
  stateColumns,
  STATE_COLUMNS,
  STATE_KINDS,
  STATE_ROWS,
  TASK_STATES,
  WORKER_STATES,
} from './messages/state.ts'
export type {
  ActorRow,
  FilteredKind,
  HostFact,
  Lineage,
  LineageObject,
  NodeLink,
  NodeRow,
  ObjectRow,
  ObjectStoreUse,
  PlacementGroupRow,
  ReferenceCounts,
  Replication,
  RunFact,
  StateAnswer,
  StateFilter,
  StateKind,
  StateQuery,
  StateReply,
  SummaryRow,
  TaskRow,
  WorkerRow,
  WorkerRun,
} from './messages/state.ts'
export { MOST_TASK_EVENTS, RUN_OUTCOMES, RUN_WAITS } from './messages/task-events.ts'
export { TASK_TYPES } from './messages/task-types.ts'
export type { EndEvent, EventCursor, RunEvent, TaskEventRow } from './messages/task-events.ts'
export { groupDefinition, groupRecord } from './messages/placement-group.ts'
export type { BundleChoice, GroupDefinition, GroupRecord, GroupWire } from './messages/placement-group.ts'
export { dependency, resultValue, taskOutcome, taskShape } from './messages/task.ts'
export type {
  Dependency,
  ResultValue,
  TaskArgument,
  TaskOutcome,
  TaskRefused,
  TaskResult,
  TaskYielded,
  TaskShape,
  TaskSubmit,
  TaskTemplate,
} from './messages/task.ts'
export { argumentFailed, messageOf, newWireError, wireError } from './messages/wire-error.ts'
export type { WireError } from './messages/wire-error.ts'
export { ProtocolError } from './protocol-error.ts'
export type { ProtocolErrorCode } from './protocol-error.ts'
export {
  CPU,
  fromResourceSet,
  GPU,
  isWithin,
  MEMORY,
  resourceSet,
  showResources,
  toResourceSet,
  UNITS_OF_ONE,
  unitsOf,
} from './resources.ts'
export type { ResourceAmount, ResourceSet } from './resources.ts'
export { formatRoomFragment, fromBase64Url, parseRoomLink, toBase64Url } from './room-link.ts'
export type { RoomSecret } from './room-link.ts'
export { array, bool, bytes, f64, fixedBytes, oneOf, optional, string, struct, u8, union, varint } from './schema.ts'
export type { Infer, Schema } from './schema.ts'
export { decodeValue, noDecodeHooks } from './value/decode-value.ts'
export type { DecodeHooks } from './value/decode-value.ts'
export { PlainDecoder } from './value/plain-decoder.ts'
export { PlainEncoder } from './value/plain-encoder.ts'
export { noEncodeHooks, ValueEncoder } from './value/encode-value.ts'
export type { EncodeHooks, Replacement } from './value/encode-value.ts'
export { fromRun, inlineValue, messageBytes, toRun, valueBytes } from './value/encoded-value.ts'
export type { EncodedValue, OutgoingValue } from './value/encoded-value.ts'
export { isBlob } from './value/blob.ts'
export type { BlobLike } from './value/blob.ts'
export { errorClassName, SerializerRegistry } from './value/serializer-registry.ts'
export type { ClassOf, Serializer } from './value/serializer-registry.ts'
export { transfer } from './value/transfer.ts'
export { PROTOCOL_VERSION } from './version.ts'
export { GROUP_STRATEGIES, LOG_LEVELS, STATE_CALLS, STRATEGIES } from './words.ts'
export type { GroupStrategy } from './words.ts'
export { codeDefinition, runTemplate } from './port/definitions.ts'
export type { CodeDefinition, RunTemplate } from './port/definitions.ts'
export { templateDefinition } from './port/template-definition.ts'
export type { TemplateDefinition } from './port/template-definition.ts'
export { BlobGate } from './port/blob-gate.ts'
export { ALL_ARGUMENTS, FrameReader, FrameWriter } from './port/frame.ts'
export type { ArrivingFrame, Frame, FramePort, OutgoingFrame, PlacedRef, Ticket } from './port/frame.ts'
export { MOST_ITEMS, mostAhead, streamItem, streamMode, streamOf } from './stream-ids.ts'
export { SUBMITTER_SPAN, THIS_NODE, TO_NODE, TO_SUBMITTER } from './port/records.ts'
