/** What a receiver accepts, each with its reason. Senders respect the same numbers. */
export const LIMITS = {
  /** A control message between nodes: one inlined value plus its spec. WebRTC stacks agree on 256 KiB. */
  controlMessageBytes: 240 * 1024,
  /** Values up to this size travel inside messages (Ray's max_direct_call_object_size). */
  inlineValueBytes: 100 * 1024,
  /** A chunk on the bulk channel: small enough that a heartbeat never waits long behind one. */
  bulkChunkBytes: 64 * 1024,
  /** Buffers from this size on are moved beside a frame between threads instead of being copied into it. */
  outOfBandBytes: 16 * 1024,
  /** Source text of one inline function. */
  functionSourceBytes: 4 * 1024 * 1024,
  /** Values handed into an inline function by name. */
  functionUsesBytes: 100 * 1024,
  /** One bundle of a remote module. */
  moduleSourceBytes: 32 * 1024 * 1024,
  /** Largest object: one typed array cannot be larger than 2 GiB in every engine. */
  objectBytes: 2 * 1024 ** 3 - 1,
  /** Parts into which an object is cut for its way, each with a hash in its head. */
  objectSegments: 1024,
  /** A sealed signaling blob: an SDP offer with all its candidates is about 6 kB. */
  signalingBlobBytes: 64 * 1024,
  /** Members of one room that a server announces. */
  roomMembers: 512,
  /** A sealed directory record. */
  directoryRecordBytes: 16 * 1024,
  /** One update of the directory document; the document itself is rolled before it grows past this. */
  directoryUpdateBytes: 200 * 1024,
  /** Top-level arguments of one task. */
  taskArguments: 1024,
  /** Templates that a page or worker takes its node to know: of others it tells anew. The node keeps four times as many. */
  templatesKept: 500,
  /** Templates that a node takes another to know: of others it tells anew. That one keeps twice as many. */
  templatesTold: 250,
  /** Names of error classes, of what was thrown or what to retry after. */
  errorKinds: 16,
  /** Labels of a node, and conditions of one kind on them. */
  labels: 32,
  /** Values in one condition. */
  labelValues: 64,
  /** Kinds of resources that one task asks for, or one node has. */
  resources: 32,
  /** Of one resource, in ten-thousandths: sums of two stay exact, and 400 GB of memory are within. */
  resourceUnits: 4_000_000_000_000_000,
  /** Bundles of one placement group: with their places they go in one record of the directory. */
  groupBundles: 128,
  /** Placement groups that one node owns at a time. */
  groups: 1024,
  /** Levels of nested tasks: each has a queue of its own. */
  taskDepth: 10_000,
  /** References inside one value. */
  valueReferences: 100_000,
  /** References that one message registers with their owner. */
  messageReferences: 20_000,
  /** A line of a task's log. */
  logLineBytes: 8 * 1024,
  /** STUN and TURN servers of a room, and addresses of one of them. */
  iceServers: 16,
  /** An address, a user name or a credential of one of them. */
  iceTextBytes: 512,
  /** Reloads of a driver's page that its ledgers and its leave to submit outlive. */
  formerSelves: 8,
  /** Refs that a page keeps by name for the time after a reload. */
  keptRefs: 256,
  /** Methods of an actor's class. */
  actorMethods: 1024,
  /** Names of functions, actors, rooms and people. */
  nameBytes: 256,
  /** Rows of the state API in one answer, and at most altogether: Ray's limit too. */
  stateRows: 10_000,
  /** An error's message or a reason in words, in a row of it. */
  stateTextBytes: 8 * 1024,
  /** Filters of one question. */
  stateFilters: 16,
  /** Objects of one lineage that are listed. */
  stateLineage: 200,
  /** Of one of them, objects that its task needs. */
  stateDependencies: 64,
  /** Runs of one worker that are named. */
  stateRuns: 16,
} as const
