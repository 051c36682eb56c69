import type { NodeId } from '../ids.ts'

// The records that cross a node's ports. A submitter is a page or one worker; its numbers count in a range of its own,
// so that a ref exists the moment `.remote()` returns. Each line gives a record's fields in order; `id`, `ids` and
// `value` and `dependencies` are FrameWriter's, the rest schemas or varints.

/** From a page or worker to its tab's node. */
export const TO_NODE = {
  /** code: varint, call site of `remote()`: string, what its value shows (see capture's FunctionFacts): bytes, codeDefinition */
  code: 1,
  /** templateDefinition */
  template: 2,
  /** template, number, parent run + 1 (0: none), dependencies, args: value */
  submit: 3,
  /** number, value */
  put: 4,
  /** ids: send each value, or the error, as soon as it exists; answered once each by TO_SUBMITTER.value */
  want: 5,
  /** ids: say when each exists; answered once each by TO_SUBMITTER.ready */
  watch: 6,
  /** ids: the answer to a want is no longer needed; it may come all the same */
  unwant: 7,
  /** ids: one reference of each is gone */
  release: 8,
  /** From pages only. ids: one more reference of each, and whoever takes their ledgers over shall know of it */
  keep: 13,
  /** number: asks for TO_SUBMITTER.polled with it, once all that was sent before has been looked at */
  poll: 11,
  /** From workers only. 1 while a `wait` is open: only then does a task wait for what it has asked to watch */
  waiting: 12,
  /** template, number (the actor's), parent run + 1, dependencies, args: value */
  actorCreate: 9,
  /**
   * actor: id, method: string, number, numReturns, stream, retries: f64, count and that many names of errors to retry after, caller,
   * call, group (see concurrencyGroups), parent run + 1, dependencies, args: value
   */
  actorCall: 10,
  /** actor: id, 1 when nothing shall restart it */
  actorKill: 14,
  /** question, parent run + 1, namespace (empty: the job's), name; answered by TO_SUBMITTER.actorFound */
  actorFind: 15,
  /** id, flags: 1 forced, 2 recursive. Cancels the task that makes the object; not answered */
  cancel: 16,
  /** A stream's task: number, items taken, items asked for in all; answered by TO_SUBMITTER.streamItem and streamEnd */
  streamNext: 17,
  /** A stream's task: number. Nobody asks for its items any more: it is cancelled, and those that were not told of are freed */
  streamDrop: 18,
  /** From workers only. number, question about the room's state: value; answered by TO_SUBMITTER.stateRows */
  stateAsk: 19,
  /** From pages only. groupDefinition: a placement group is to be made */
  group: 26,
  /** From pages only. id: the placement group is to be removed */
  groupRemove: 27,
  /** From workers only. run, cpu in microseconds, 0 and count and that many values, or 1 and a wireError */
  done: 20,
  /** run, 1 when it blocks in get or wait, 2 when its stream is too far ahead, 0 when it goes on */
  blocked: 21,
  /** run: given back unstarted, after `cancel` or because the worker's task has blocked */
  dropped: 22,
  /** run, level: index into LOG_LEVELS, text */
  log: 23,
  /** From actors' workers. The actor has ended by itself, or as it was asked to: nothing of it runs any more */
  actorEnded: 24,
  /** run, index, value: what a generator has yielded */
  yielded: 25,
} as const

/** From a node to its page or a worker. */
export const TO_SUBMITTER = {
  /** id, 0 and value, or 1 and wireError */
  value: 1,
  /** ids that exist now, values or errors */
  ready: 2,
  /** number of the poll */
  polled: 3,
  /** question, 0 and actor: id and actorFacts, or 1 and wireError */
  actorFound: 4,
  /** A stream's task: number, the next item's number, 0, or 1 and its value */
  streamItem: 5,
  /** A stream's task: number, 1 when it has failed. There are no items but those told of */
  streamEnd: 6,
  /** To workers only. number of the question, 0 and the rows: value, or 1 and a wireError */
  stateRows: 7,
  /** To workers only. code: the node's number, functionHash, codeDefinition */
  code: 10,
  /** runTemplate */
  template: 15,
  /** run, template, task: id, attempt's epoch and number, count and that many (place, value), args: value */
  run: 11,
  /** The same fields: makes the actor that this worker hosts from now on. */
  actorNew: 12,
  /** The same fields, with the method's name behind the template's number. */
  actorRun: 13,
  /** run: give it back if it has not started; else its signal aborts, its calls of the SDK fail, and `done` tells of its end */
  cancel: 14,
  /** To actors' workers: end it once the calls that wait have run */
  actorEnd: 16,
  /** run, items taken of its stream, 1 when nobody takes any more */
  consumed: 17,
} as const

/** A submitter's numbers: `submitter * SUBMITTER_SPAN + n`, n from 1. The page is submitter 0. */
export const SUBMITTER_SPAN = 2 ** 32

/** The owner that submitters write for their own tab's node: its real id may not be known yet when a ref is made. */
export const THIS_NODE = '0'.repeat(32) as NodeId
