import type { Log } from '@shoal/base'
import type { FunctionFacts } from '@shoal/capture/facts'
import {
  ByteReader,
  ByteWriter,
  codeDefinition,
  decodeValue,
  formatJobId,
  functionHashOf,
  LIMITS,
  newWireError,
  nodeIdOfKeyHash,
  ProtocolError,
  toHex,
} from '@shoal/protocol'
import type {
  CodeDefinition,
  Crypto,
  EncodedValue,
  FunctionHash,
  JobId,
  KeyPair,
  NodeId,
  NodeMessage,
  RoomId,
  WireError,
} from '@shoal/protocol'
import type { CodeOrigin } from './submitter.ts'

/** Leave to run a piece of code for a job: the submitter's signature over both. */
export interface CodeGrant {
  readonly submitter: Uint8Array<ArrayBuffer>
  readonly signature: Uint8Array<ArrayBuffer>
}

export type CodeState =
  | { readonly kind: 'pending' }
  | { readonly kind: 'ready'; readonly hash: FunctionHash; readonly definition: CodeDefinition }
  | { readonly kind: 'refused'; readonly error: WireError }

/** One piece of code as a submitter or a peer named it; many of them may come to the same hash. */
export interface CodeEntry {
  state: CodeState
  /** Calls wait until the code was checked, hashed and, where needed, fetched. */
  waiters: (() => void)[]
}

/** What a page saw of a function's value, beside its text. */
export type ShownFacts = Omit<FunctionFacts, 'source'>

/** What is wrong with a function's text, or the text to evaluate. The parser behind it is loaded when first needed. */
export type CheckSource = (
  source: string,
  isClass: boolean,
  hasUses: boolean,
  facts: ShownFacts | undefined,
) => Promise<{ readonly expression: string } | { readonly message: string; readonly identifier: string }>

export interface CodeStoreOptions {
  readonly self: NodeId
  readonly crypto: Crypto
  readonly keyPair: KeyPair
  readonly log: Log
  readonly checkSource: CheckSource
  /** Fetches code by hash from a node that has it. */
  fetch(hash: FunctionHash, from: NodeId, callback: (value: EncodedValue | undefined) => void): void
  send(to: NodeId, message: NodeMessage): void
  canReach(node: NodeId): boolean
}

interface Asked {
  readonly driver: NodeId
  readonly answer: Promise<CodeGrant | undefined>
  settle(grant: CodeGrant | undefined): void
}

/**
 * Code by content: what this tab's page and workers define, and what tasks of others bring. Nothing is run or sent
 * before its text was checked; nothing of another node is run without a grant. States: see CodeState.
 */
export class CodeStore {
  readonly #options: CodeStoreOptions
  readonly #byHash = new Map<FunctionHash, CodeDefinition>()
  readonly #bytes = new Map<FunctionHash, Uint8Array<ArrayBuffer>>()
  readonly #byText = new Map<string, CodeEntry>()
  readonly #grants = new Map<string, CodeGrant>()
  readonly #fetching = new Map<FunctionHash, CodeEntry>()
  /** Code of the job that this tab drives. */
  readonly #own = new Set<FunctionHash>()
  /** Checks of such code that are under way. */
  readonly #checking = new Set<Promise<unknown>>()
  /** Grants that a driver was asked for. */
  readonly #asked = new Map<string, Asked>()

  constructor(options: CodeStoreOptions) {
    this.#options = options
  }

  /** Code that a submitter of this tab defined. `driver` is asked for code that is only named by its hash. */
  define(definition: CodeDefinition, origin: CodeOrigin, driver: NodeId): CodeEntry {
    if (definition.type === 'known') return this.byHash(definition.hash, driver)
    // Every worker defines the functions of its tasks anew; they must not wait for what was checked before, or tasks
    // that are less deep would overtake theirs.
    const key = JSON.stringify(
      definition.type === 'inline'
        ? [definition.source, keyOf(definition.uses), toHex(origin.facts)]
        : [definition.source],
    )
    const known = this.#byText.get(key)
    if (known !== undefined) {
      if (driver === this.#options.self) whenCode(known, () => this.#isOwn(known.state))
      return known
    }
    const entry: CodeEntry = { state: { kind: 'pending' }, waiters: [] }
    this.#byText.set(key, entry)
    const check = this.#check(definition, origin)
    if (driver === this.#options.self) {
      whenCode(entry, () => this.#isOwn(entry.state))
      this.#checking.add(check)
    }
    const over = (): void => void this.#checking.delete(check)
    check.then(over, over)
    check.then(
      (state) => settle(entry, state),
      (error: unknown) =>
        settle(entry, {
          kind: 'refused',
          error: newWireError('capture', `the code could not be checked: ${String(error)}`),
        }),
    )
    return entry
  }

  /** Code that must be here already or come from `from`. */
  byHash(hash: FunctionHash, from: NodeId): CodeEntry {
    const definition = this.#byHash.get(hash)
    if (definition !== undefined) return { state: { kind: 'ready', hash, definition }, waiters: [] }
    const open = this.#fetching.get(hash)
    if (open !== undefined) {
      // Another node to have it from, should the first one go.
      this.#options.fetch(hash, from, () => undefined)
      return open
    }
    const entry: CodeEntry = { state: { kind: 'pending' }, waiters: [] }
    this.#fetching.set(hash, entry)
    this.#options.fetch(hash, from, (value) => {
      this.#accept(hash, value).then(
        (state) => {
          this.#fetching.delete(hash)
          settle(entry, state)
        },
        (error: unknown) => {
          this.#fetching.delete(hash)
          settle(entry, {
            kind: 'refused',
            error: newWireError('object-lost', `code did not arrive: ${String(error)}`),
          })
        },
      )
    })
    return entry
  }

  /** The code's bytes for another node. */
  serve(hash: FunctionHash): EncodedValue | undefined {
    const body = this.#bytes.get(hash)
    return body === undefined ? undefined : { refs: [], body, buffers: [] }
  }

  /** Code of a task that was taken over with its grant: ready once the grant holds and the code is here. */
  granted(
    job: JobId,
    hash: FunctionHash,
    room: RoomId | undefined,
    grant: CodeGrant,
    isListed: (publicKey: Uint8Array) => Promise<boolean>,
  ): CodeEntry {
    const entry: CodeEntry = { state: { kind: 'pending' }, waiters: [] }
    const refuse = (message: string): void =>
      settle(entry, { kind: 'refused', error: newWireError('permission', message) })
    const answer =
      room === undefined ? Promise.resolve('unlisted' as const) : this.admit(job, hash, room, grant, isListed)
    answer.then(
      (admission) => {
        if (admission !== 'admitted') {
          refuse(`the code of a task of ${job.driver.slice(0, 8)} came without a grant that holds`)
          return
        }
        const code = this.byHash(hash, job.driver)
        whenCode(code, () => settle(entry, code.state))
      },
      (error: unknown) => refuse(`a grant could not be checked: ${String(error)}`),
    )
    return entry
  }

  /** A grant that is at hand already. */
  knownGrant(job: JobId, hash: FunctionHash, room: RoomId): CodeGrant | undefined {
    return this.#grants.get(grantKey(room, job, hash))
  }

  #isOwn(state: CodeState): void {
    if (state.kind === 'ready') this.#own.add(state.hash)
  }

  /** The grant under which a job's code may be sent on: made here when this tab drives the job, else asked for there. */
  async grantFor(job: JobId, hash: FunctionHash, room: RoomId, isDriver: boolean): Promise<CodeGrant | undefined> {
    const key = grantKey(room, job, hash)
    const known = this.#grants.get(key)
    if (known !== undefined) return known
    if (!isDriver) return this.#askDriver(key, job, hash)
    const { keyPair } = this.#options
    const grant = { submitter: keyPair.publicKey, signature: await keyPair.sign(grantText(room, job, hash)) }
    this.#grants.set(key, grant)
    return grant
  }

  #askDriver(key: string, job: JobId, hash: FunctionHash): Promise<CodeGrant | undefined> {
    const { driver } = job
    if (!this.#options.canReach(driver)) return Promise.resolve(undefined)
    const open = this.#asked.get(key)
    if (open !== undefined) return open.answer
    let settle: Asked['settle'] = () => undefined
    const answer = new Promise<CodeGrant | undefined>((resolve) => (settle = resolve))
    this.#asked.set(key, { driver, answer, settle })
    this.#options.send(driver, { type: 'code.ask', job, hash })
    return answer
  }

  /** What the driver's own code and its tasks define it gives leave for, and nothing else. */
  async onAsk(from: NodeId, { job, hash }: NodeMessage & { type: 'code.ask' }, room: RoomId): Promise<void> {
    if (!this.#own.has(hash)) await Promise.allSettled([...this.#checking])
    const isOwn = job.driver === this.#options.self && this.#own.has(hash)
    const grant = isOwn ? await this.grantFor(job, hash, room, true) : undefined
    this.#options.send(from, { type: 'code.grant', job, hash, grant })
  }

  async onGrant(
    from: NodeId,
    { job, hash, grant }: NodeMessage & { type: 'code.grant' },
    room: RoomId,
    isListed: (publicKey: Uint8Array) => Promise<boolean>,
  ): Promise<void> {
    const key = grantKey(room, job, hash)
    const asked = this.#asked.get(key)
    if (asked?.driver !== from) return
    const holds = grant !== undefined && (await this.admit(job, hash, room, grant, isListed)) === 'admitted'
    this.#asked.delete(key)
    asked.settle(holds ? grant : undefined)
  }

  /** What a driver was asked for it will never answer. */
  nodeGone(node: NodeId): void {
    for (const [key, { driver, settle }] of [...this.#asked])
      if (driver === node) {
        this.#asked.delete(key)
        settle(undefined)
      }
  }

  /**
   * Whether a peer's grant holds: signed for this room, job and code by a key that the room's owner listed. `forged` is
   * final; an `unlisted` key may be listed later. A grant that holds is kept, since tasks started here may send the same
   * code on.
   */
  async admit(
    job: JobId,
    hash: FunctionHash,
    room: RoomId,
    grant: CodeGrant,
    isListed: (publicKey: Uint8Array) => Promise<boolean>,
  ): Promise<'admitted' | 'forged' | 'unlisted'> {
    const key = grantKey(room, job, hash)
    if (this.#grants.has(key)) return 'admitted'
    const { crypto } = this.#options
    const submitter = nodeIdOfKeyHash(await crypto.sha256(grant.submitter))
    if (submitter !== job.driver) return 'forged'
    if (!(await crypto.verify(grant.submitter, grantText(room, job, hash), grant.signature))) return 'forged'
    if (!(await isListed(grant.submitter))) return 'unlisted'
    this.#grants.set(key, grant)
    return 'admitted'
  }

  async #check(definition: CodeDefinition, { callSite, facts }: CodeOrigin): Promise<CodeState> {
    if (definition.type === 'module') {
      if (definition.source !== '') return this.#keep(definition)
      return { kind: 'refused', error: newWireError('capture', `the remote module ${definition.name} ${callSite}`) }
    }
    if (definition.type === 'known') throw new ProtocolError('malformed', 'known code has no source')
    const { source, isClass, uses } = definition
    const shown = facts.length === 0 ? undefined : (decodeValue({ refs: [], body: facts, buffers: [] }) as ShownFacts)
    const report = await this.#options.checkSource(source, isClass, uses !== undefined, shown)
    if ('expression' in report) return this.#keep({ ...definition, source: report.expression })
    const where = callSite === '' ? '' : `\n    ${isClass ? 'actor' : 'remote'}() was called ${callSite}`
    const error = newWireError('capture', `${report.message}${where}`, { identifier: report.identifier })
    return { kind: 'refused', error }
  }

  async #keep(definition: CodeDefinition): Promise<CodeState> {
    const writer = new ByteWriter(1024)
    codeDefinition.write(writer, definition)
    const bytes = writer.finish()
    const hash = functionHashOf(await this.#options.crypto.sha256(bytes))
    this.#byHash.set(hash, definition)
    this.#bytes.set(hash, bytes)
    return { kind: 'ready', hash, definition }
  }

  async #accept(hash: FunctionHash, value: EncodedValue | undefined): Promise<CodeState> {
    if (value === undefined)
      return { kind: 'refused', error: newWireError('object-lost', 'the code of a task could not be fetched') }
    if (value.body.length > LIMITS.moduleSourceBytes) throw new ProtocolError('too-large', 'code past its limit')
    if (functionHashOf(await this.#options.crypto.sha256(value.body)) !== hash)
      throw new ProtocolError('malformed', 'code that does not have the hash it was asked for by')
    const definition = codeDefinition.read(new ByteReader(value.body))
    this.#byHash.set(hash, definition)
    this.#bytes.set(hash, value.body)
    return { kind: 'ready', hash, definition }
  }
}

/** Calls back once the entry is no longer pending; at once when it is not. */
export function whenCode(entry: CodeEntry, callback: () => void): void {
  if (entry.state.kind === 'pending') entry.waiters.push(callback)
  else callback()
}

function settle(entry: CodeEntry, state: CodeState): void {
  entry.state = state
  const { waiters } = entry
  entry.waiters = []
  for (const waiter of waiters) waiter()
}

function keyOf(uses: EncodedValue | undefined): unknown {
  return uses && [uses.refs, toHex(uses.body), uses.buffers.map(toHex)]
}

function grantKey(room: RoomId, job: JobId, hash: FunctionHash): string {
  return `${room} ${formatJobId(job)} ${hash}`
}

function grantText(room: RoomId, job: JobId, hash: FunctionHash): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(`shoal code grant\n${room}\n${formatJobId(job)}\n${hash}`)
}
