import { attempt, nodeId, objectId } from '../ids.ts'
import { LIMITS } from '../limits.ts'
import { array, bool, f64, fixedBytes, optional, string, struct, union, varint } from '../schema.ts'
import type { Infer } from '../schema.ts'
import { inlineValue } from '../value/encoded-value.ts'
import { executedCalls } from './actor.ts'
import { templateFields } from './task.ts'
import { wireError } from './wire-error.ts'

const name = string(LIMITS.nameBytes)
const numbers = array(varint, LIMITS.messageReferences)

/** Who answers for a ledger, and since when: ordered by number, then minter; it never goes down. */
export const ledgerEpoch = struct({ number: varint, minter: nodeId })
export type LedgerEpoch = Infer<typeof ledgerEpoch>

/** The tab that has a driver's ledger: the driver's own, or the one that its page is after a reload. */
export const ledgerHeir = struct({
  node: nodeId,
  /** SHA-256 of the secret by which that tab's page, should it reload, claims the ledger. */
  secretHash: fixedBytes(32),
})
export type LedgerHeir = Infer<typeof ledgerHeir>

/**
 * The owner's successors in order, of that epoch; a higher version replaces a lower one. `heir`: of drivers in a room whose
 * pages may reload.
 */
export const succession = struct({
  owner: nodeId,
  epoch: ledgerEpoch,
  version: varint,
  successors: array(nodeId, 16),
  heir: optional(ledgerHeir),
})
export type Succession = Infer<typeof succession>

/** What many task records share, named by its place in the message. As a task template, with all that a re-run needs. */
export const ledgerTemplate = struct({
  ...templateFields,
  maxRetries: f64,
  retryExceptions: array(name, LIMITS.errorKinds),
  timeoutMs: f64,
})
export type LedgerTemplate = Infer<typeof ledgerTemplate>

const argument = struct({ place: varint, id: objectId })

/**
 * What survivors could not tell about one object of a ledger: the task that makes it; or its value; or that it exists,
 * its bytes being with whoever reports them; or the error in its place. `attempt` orders what is said of one object.
 */
export const ledgerRecord = struct({
  number: varint,
  attempt,
  body: union({
    task: struct({
      template: varint,
      /** The task's number: that of its first return. */
      task: varint,
      depth: varint,
      /** See `task.submit`. */
      streamId: varint,
      retriesLeft: f64,
      dependencies: array(argument, LIMITS.taskArguments),
      args: inlineValue,
    }),
    /** `args` and `dependencies` are its constructor's; `attempt` is its incarnation. */
    actor: struct({
      template: varint,
      depth: varint,
      restarts: varint,
      dependencies: array(argument, LIMITS.taskArguments),
      args: inlineValue,
      /** The state that its next incarnation begins with: see `actor.checkpoint`. */
      checkpoint: optional(
        struct({ position: varint, executed: executedCalls, dependencies: array(argument, 1), args: inlineValue }),
      ),
    }),
    value: struct({ value: inlineValue }),
    stored: struct({ bytes: varint }),
    failed: struct({ error: wireError }),
  }),
})
export type LedgerRecord = Infer<typeof ledgerRecord>

/** Who answers for a ledger, told to whoever may have to ask. */
export const ledgerSuccession = struct({ succession })

/**
 * Records of a ledger, to a successor or ahead of a message that carries a ref. `number` counts up for one successor and is
 * acknowledged cumulatively; 0: they only ride, and nobody waits for them. `forgotten`: objects that are gone. `isSnapshot`:
 * the receiver is new on the list, and whatever it was told before counts no more; everything that does follows.
 */
export const ledgerRecords = struct({
  owner: nodeId,
  number: varint,
  templates: array(ledgerTemplate, LIMITS.taskArguments),
  records: array(ledgerRecord, LIMITS.taskArguments),
  forgotten: numbers,
  isSnapshot: bool,
})
export type LedgerRecords = Infer<typeof ledgerRecords>
export const ledgerAcknowledged = struct({ owner: nodeId, number: varint })

/** Whoever takes a ledger over asks everybody what they hold of it; nothing is freed or run again before the answers. */
export const ledgerGather = struct({ succession })

/**
 * What a node holds of a ledger, in one or more parts: objects it refers to, copies of their bytes, runs it has queued or
 * running or whose outcome it has not told, actors that live there. Its records of it go ahead.
 */
export const ledgerReport = struct({
  owner: nodeId,
  epoch: ledgerEpoch,
  refs: numbers,
  copies: array(struct({ number: varint, attempt, bytes: varint }), LIMITS.messageReferences),
  runs: array(struct({ number: varint, attempt }), LIMITS.messageReferences),
  actors: array(struct({ number: varint, incarnation: attempt }), LIMITS.messageReferences),
  isLast: bool,
})
export type LedgerReport = Infer<typeof ledgerReport>

/** The report is in: what it named is counted. */
export const ledgerReported = struct({ owner: nodeId, epoch: ledgerEpoch })

/** The owner's tab is gone for good and nothing of its ledger is needed: copies and records of it go. */
export const ledgerOver = struct({ owner: nodeId, epoch: ledgerEpoch })

/** A driver that has reloaded wants the ledger of the tab it was: the secret of its heir, and the hash of a new one. */
export const ledgerClaim = struct({ owner: nodeId, secret: fixedBytes(16), nextHash: fixedBytes(32) })

/** The answerer wants a run ended, since nobody waits for it. */
export const ledgerEnd = struct({ owner: nodeId, number: varint, attempt })

/** Asks for a second copy of bytes that no task can make again. */
export const ledgerCopy = struct({ id: objectId, attempt, bytes: varint, holders: array(nodeId, 16) })
