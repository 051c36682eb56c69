import { silentLog } from '@shoal/base'
import type { Log } from '@shoal/base'
import { nodeIdOfKeyHash, roomIdOfKeyHash } from '@shoal/protocol'
import type { Crypto, KeyPair, NodeId, RoomId, Session } from '@shoal/protocol'
import type { Connector, Signaling } from '@shoal/transport'
import { SimClock } from './sim-clock.ts'
import type { NodeClock } from './sim-clock.ts'
import { simCrypto, simKeyPair, simSha256 } from './sim-crypto.ts'
import { SimNetwork } from './sim-network.ts'
import type { SimNetworkOptions } from './sim-network.ts'
import { simRandom } from './sim-random.ts'
import type { SimRandom } from './sim-random.ts'
import { createTrace } from './trace.ts'
import type { Trace } from './trace.ts'

/** A key that a node keeps through all its sessions. */
export interface SimIdentity {
  readonly name: string
  readonly node: NodeId
  readonly keyPair: KeyPair
  readonly publicKey: Uint8Array<ArrayBuffer>
}

/** Everything that a real node takes as ports, for one session of one node. */
export interface SimPorts extends SimIdentity {
  readonly session: Session
  readonly room: RoomId
  readonly roomKey: Uint8Array<ArrayBuffer>
  readonly clock: NodeClock
  readonly random: SimRandom
  readonly crypto: Crypto
  readonly connector: Connector
  readonly signaling: Signaling
  readonly log: Log
}

/** What a simulated room asks of whatever runs on the ports: an overlay today, a whole node on top of it. */
export interface SimParticipant {
  /** Leaves in good order. */
  close(reason: 'left' | 'closed' | 'reload'): void
}

export interface SimWorldOptions {
  readonly seed: number
  readonly network?: Omit<SimNetworkOptions, 'clock' | 'random' | 'trace'>
}

/** No two machines agree what time it is, nor how long a second takes: crystals differ by some 100 parts in a million. */
const MOST_OFFSET_MS = 3_600_000
const MOST_DRIFT = 0.0002

/**
 * One room's universe: clock, chance, network and trace, all from one seed. `ports` gives a node what it needs, again
 * for each of its sessions; what runs on them is the scenario's choice.
 */
export class SimWorld {
  readonly seed: number
  readonly clock = new SimClock()
  readonly random: SimRandom
  readonly trace: Trace
  readonly network: SimNetwork
  readonly #ports = new Set<SimPorts>()
  readonly #roomKey: Uint8Array<ArrayBuffer>
  readonly #room: RoomId
  readonly #ownerKeyPair: KeyPair

  constructor(options: SimWorldOptions) {
    this.seed = options.seed
    this.random = simRandom(options.seed)
    this.trace = createTrace(() => this.clock.now())
    const { clock, trace } = this
    this.network = new SimNetwork({ ...options.network, clock, random: this.random.fork('network'), trace })
    this.#roomKey = this.random.fork('room key').bytes(16)
    const owner = simKeyPair(this.random.fork('room').bytes(32))
    this.#ownerKeyPair = owner
    this.#room = roomIdOfKeyHash(simSha256(owner.publicKey))
  }

  /** The key of the room's owner: a node that has it may submit work. */
  get ownerKeyPair(): KeyPair {
    return this.#ownerKeyPair
  }

  /** A new key, the same for the same name in the same world. */
  async identity(name: string): Promise<SimIdentity> {
    const random = this.random.fork(`key of ${name}`)
    const crypto = simCrypto(random)
    const keyPair = await crypto.keyPair(random.bytes(32))
    const node = nodeIdOfKeyHash(await crypto.sha256(keyPair.publicKey))
    return { name, node, keyPair, publicKey: keyPair.publicKey }
  }

  ports(identity: SimIdentity, session: Session, log: Log = silentLog): SimPorts {
    const life = `${identity.name}/${session}`
    const random = this.random.fork(life)
    const skewed = random.fork('clock')
    const clock = this.clock.forNode(life, {
      offsetMs: Math.floor(skewed.float() * MOST_OFFSET_MS),
      rate: 1 + (2 * skewed.float() - 1) * MOST_DRIFT,
    })
    const ports: SimPorts = {
      ...identity,
      session,
      room: this.#room,
      roomKey: this.#roomKey,
      clock,
      random,
      crypto: simCrypto(random.fork('crypto')),
      connector: this.network.connector(identity.node, session, clock),
      signaling: this.network.signalingFor(identity.node, session, clock),
      log,
    }
    this.#ports.add(ports)
    return ports
  }

  /** Ports for the next session of a node that goes on living: its clock and chance are the same. */
  nextSession(ports: SimPorts): SimPorts {
    const { node, clock } = ports
    const session = ports.session + 1
    const next: SimPorts = {
      ...ports,
      session,
      connector: this.network.connector(node, session, clock),
      signaling: this.network.signalingFor(node, session, clock),
    }
    this.#ports.delete(ports)
    this.#ports.add(next)
    return next
  }

  /** The process behind the ports is gone without a word. */
  kill(ports: SimPorts): void {
    this.network.kill(ports.node, ports.session, ports.clock)
    this.#ports.delete(ports)
  }

  /** R1: what is left after everything was closed. Each line names one leak. */
  leaks(): string[] {
    const leaks: string[] = []
    for (const { clock } of this.#ports) {
      if (clock.pending > 0) leaks.push(`R1: ${clock.pending} timers of ${clock.name} are left`)
    }
    const { network } = this
    if (network.linkCount > 0) leaks.push(`R1: ${network.linkCount} links are left`)
    if (network.connectionCount > 0) leaks.push(`R1: ${network.connectionCount} connections are left`)
    if (network.signaling.clientCount > 0) leaks.push(`R1: ${network.signaling.clientCount} sockets are left`)
    return leaks
  }
}
