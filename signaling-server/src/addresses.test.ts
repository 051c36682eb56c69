import type { NetworkInterfaceInfo } from 'node:os'
import { expect, test } from 'vitest'
import { sortAddresses } from './addresses.ts'

const ipv4 = (address: string, internal = false): NetworkInterfaceInfo[] => [
  { address, internal, family: 'IPv4', netmask: '255.255.255.0', mac: '00:00:00:00:00:00', cidr: `${address}/24` },
]

test('the default route decides between two cards, the other is listed', () => {
  const { primary, others } = sortAddresses(
    { lo: ipv4('127.0.0.1', true), eth0: ipv4('10.0.0.5'), wlan0: ipv4('192.168.1.7') },
    '192.168.1.7',
  )
  expect(primary).toEqual({ address: '192.168.1.7', interfaceName: 'wlan0' })
  expect(others.map((other) => other.address)).toEqual(['10.0.0.5'])
})

test('a tunnel is never handed out, even when it is the default route', () => {
  const { primary, others } = sortAddresses(
    { wg0: ipv4('10.8.0.2'), utun3: ipv4('100.64.0.9'), docker0: ipv4('172.17.0.1'), en0: ipv4('192.168.1.7') },
    '10.8.0.2',
  )
  expect(primary?.interfaceName).toBe('en0')
  expect(others).toHaveLength(3)
  const windows = { 'vEthernet (WSL)': ipv4('172.28.0.1'), 'Wi-Fi': ipv4('192.168.0.3') }
  expect(sortAddresses(windows, undefined).primary?.interfaceName).toBe('Wi-Fi')
})

test('with nothing but loopback, bridges or self-assigned addresses there is none', () => {
  expect(sortAddresses({ lo: ipv4('127.0.0.1', true), docker0: ipv4('172.17.0.1') }, undefined).primary).toBeUndefined()
  expect(sortAddresses({ eth0: ipv4('169.254.3.4') }, undefined).primary).toBeUndefined()
})
