import { LIMITS } from '../limits.ts'
import { ByteReader } from '../bytes.ts'
import type { ByteWriter } from '../bytes.ts'
import { jobId, nodeId, objectId } from '../ids.ts'
import { array, bytes, oneOf, string, struct, union, varint } from '../schema.ts'
import type { Infer } from '../schema.ts'
import { LOG_LEVELS } from '../words.ts'
import {
  ledgerAcknowledged,
  ledgerClaim,
  ledgerCopy,
  ledgerEnd,
  ledgerGather,
  ledgerOver,
  ledgerRecords,
  ledgerReport,
  ledgerReported,
  ledgerSuccession,
} from './ledger.ts'
import { nameAnswer, nameAsk, nameClaim, nameLost, nameRelease, nameReport } from './name.ts'
import {
  groupAsk,
  groupCheck,
  groupCommit,
  groupFree,
  groupMissing,
  groupPrepare,
  groupPrepared,
  groupReturn,
} from './placement-group.ts'
import { refConfirm, refRegister, refRegistered, refRelease } from './reference.ts'
import {
  actorCall,
  actorCheckpoint,
  actorCheckpointed,
  actorCovered,
  actorCreate,
  actorEnd,
  actorKept,
  actorKill,
  actorOrder,
  actorPlace,
  actorRefused,
  actorSettle,
  actorSettled,
  actorStatus,
  actorWant,
} from './actor.ts'
import {
  objectAlso,
  objectAnswer,
  objectFree,
  objectGone,
  objectHave,
  objectHead,
  objectHeld,
  objectMissing,
  objectPull,
  objectStop,
  objectWant,
} from './object.ts'
import { stateQuery, stateReply } from './state.ts'
import {
  codeAsk,
  codeGrant,
  creditGrant,
  creditReturn,
  creditWant,
  taskCancel,
  taskConsumed,
  taskRecall,
  taskRefused,
  taskResult,
  taskSubmit,
  taskTemplate,
  taskYielded,
} from './task.ts'

export const logLine = struct({
  job: jobId,
  task: objectId,
  node: nodeId,
  name: string(LIMITS.nameBytes),
  level: oneOf(LOG_LEVELS),
  text: string(LIMITS.logLineBytes),
})
export type LogLine = Infer<typeof logLine>

/** Everything that one node says to another inside a session, in order and exactly once. */
export const nodeMessage = union({
  'task.template': taskTemplate,
  'task.submit': taskSubmit,
  'task.result': taskResult,
  'task.refused': taskRefused,
  'task.recall': taskRecall,
  'task.cancel': taskCancel,
  'task.yielded': taskYielded,
  'task.consumed': taskConsumed,
  'code.ask': codeAsk,
  'code.grant': codeGrant,
  'credit.want': creditWant,
  'credit.grant': creditGrant,
  'credit.return': creditReturn,
  'object.want': objectWant,
  'object.answer': struct({ answer: objectAnswer, handOver: varint }),
  'object.pull': objectPull,
  'object.head': objectHead,
  'object.have': objectHave,
  'object.also': objectAlso,
  'object.missing': objectMissing,
  'object.stop': objectStop,
  'object.held': objectHeld,
  'object.gone': objectGone,
  'object.free': objectFree,
  'ref.confirm': refConfirm,
  'ref.register': refRegister,
  'ref.registered': refRegistered,
  'ref.release': refRelease,
  'ledger.succession': ledgerSuccession,
  'ledger.records': ledgerRecords,
  'ledger.acknowledged': ledgerAcknowledged,
  'ledger.gather': ledgerGather,
  'ledger.report': ledgerReport,
  'ledger.reported': ledgerReported,
  'ledger.over': ledgerOver,
  'ledger.claim': ledgerClaim,
  'ledger.end': ledgerEnd,
  'ledger.copy': ledgerCopy,
  'actor.create': actorCreate,
  'actor.status': actorStatus,
  'actor.want': actorWant,
  'actor.place': actorPlace,
  'actor.call': actorCall,
  'actor.end': actorEnd,
  'actor.kill': actorKill,
  'actor.refused': actorRefused,
  'actor.order': actorOrder,
  'actor.kept': actorKept,
  'actor.settle': actorSettle,
  'actor.settled': actorSettled,
  'actor.checkpoint': actorCheckpoint,
  'actor.checkpointed': actorCheckpointed,
  'actor.covered': actorCovered,
  'group.ask': groupAsk,
  'group.free': groupFree,
  'group.prepare': groupPrepare,
  'group.prepared': groupPrepared,
  'group.commit': groupCommit,
  'group.return': groupReturn,
  'group.check': groupCheck,
  'group.missing': groupMissing,
  'directory.vector': struct({ vector: bytes(LIMITS.directoryUpdateBytes) }),
  'directory.update': struct({ update: bytes(LIMITS.directoryUpdateBytes) }),
  'job.ended': struct({ job: jobId }),
  'log.lines': struct({ lines: array(logLine, 1024) }),
  'name.claim': nameClaim,
  'name.answer': nameAnswer,
  'name.release': nameRelease,
  'name.ask': nameAsk,
  'name.report': nameReport,
  'name.lost': nameLost,
  'state.query': stateQuery,
  'state.reply': stateReply,
})
export type NodeMessage = Infer<typeof nodeMessage>

/** The messages of one packet's body. A damaged one is a ProtocolError for the whole packet. */
export function readNodeMessages(body: Uint8Array<ArrayBuffer>): NodeMessage[] {
  const reader = new ByteReader(body)
  const messages: NodeMessage[] = []
  while (!reader.isDone) messages.push(nodeMessage.read(reader))
  return messages
}

export function writeNodeMessage(writer: ByteWriter, message: NodeMessage): void {
  nodeMessage.write(writer, message)
}
