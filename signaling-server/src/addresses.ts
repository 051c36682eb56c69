import { createSocket } from 'node:dgram'
import { existsSync, readFileSync } from 'node:fs'
import { networkInterfaces } from 'node:os'
import type { NetworkInterfaceInfo } from 'node:os'

export interface LocalAddress {
  readonly address: string
  readonly interfaceName: string
}

export interface LocalAddresses {
  /** Where other devices of the same network most likely reach this machine. */
  readonly primary: LocalAddress | undefined
  /** The machine's other IPv4 addresses: containers, tunnels, further cards. */
  readonly others: readonly LocalAddress[]
  /** Why the primary address may not be reachable from other devices, in words for a person. */
  readonly note: string | undefined
}

// Bridges, tunnels and adapters of containers and virtual machines: no phone is behind one of them.
const VIRTUAL =
  /^(lo|docker|br-|veth|virbr|vmnet|vboxnet|vnic|podman|cni|flannel|cali|lxc|tun|tap|utun|ppp|ipsec|wg|zt|tailscale|awdl|llw|bridge|vEthernet|VirtualBox|VMware|Hyper-V|TAP-|OpenVPN|WireGuard|Tailscale|ZeroTier|NordLynx|Loopback)/i

/** Sorts a machine's addresses. `routed` is the one that the default route starts from, if there is a route. */
export function sortAddresses(
  interfaces: Readonly<Record<string, readonly NetworkInterfaceInfo[] | undefined>>,
  routed: string | undefined,
): Omit<LocalAddresses, 'note'> {
  const candidates: { readonly entry: LocalAddress; readonly rank: number }[] = []
  for (const [interfaceName, infos] of Object.entries(interfaces)) {
    for (const { address, family, internal } of infos ?? []) {
      if (family !== 'IPv4' || internal || address.startsWith('127.')) continue
      const rank =
        (VIRTUAL.test(interfaceName) ? 4 : 0) + (address.startsWith('169.254.') ? 2 : 0) + (address === routed ? 0 : 1)
      candidates.push({ entry: { address, interfaceName }, rank })
    }
  }
  candidates.sort((a, b) => a.rank - b.rank)
  const first = candidates[0]
  const primary = first && first.rank < 2 ? first.entry : undefined
  return {
    primary,
    others: candidates.filter(({ entry }) => entry !== primary).map(({ entry }) => entry),
  }
}

/** Looks at the machine's interfaces. Sends nothing. */
export async function findAddresses(): Promise<LocalAddresses> {
  const sorted = sortAddresses(networkInterfaces(), await defaultRouteAddress())
  return { ...sorted, note: placeNote() }
}

/** The address from which the default route leaves: connecting a UDP socket asks the routing table and sends nothing. */
function defaultRouteAddress(): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = createSocket('udp4')
    let isDone = false
    const finish = (address: string | undefined): void => {
      if (!isDone) socket.close()
      isDone = true
      resolve(address)
    }
    socket.once('error', () => finish(undefined))
    // A documentation address (RFC 5737): behind the default route everywhere.
    socket.connect(9, '203.0.113.1', (...failure: unknown[]) =>
      finish(failure[0] instanceof Error ? undefined : socket.address().address),
    )
  })
}

function placeNote(): string | undefined {
  if (process.platform !== 'linux') return undefined
  if (existsSync('/.dockerenv') || existsSync('/run/.containerenv')) {
    return 'This runs in a container: other devices reach it only through a port that the container publishes.'
  }
  if (existsSync('/proc/version') && /microsoft/i.test(readFileSync('/proc/version', 'utf8'))) {
    return 'This runs in WSL: other devices reach it only with mirrored networking or a forwarded port.'
  }
  return undefined
}
