import type { NodeLabels } from '@shoal/protocol'

/** What a worker sees of its device, of which the library of types knows the half. */
interface DeviceNavigator {
  /** GiB, a power of two, 8 at most; of Chromium, on a secure page. */
  readonly deviceMemory?: number
  readonly gpu?: unknown
}

/** What the browser says of the device: for its card, and for work that asks for a label. */
export function deviceLabels({ deviceMemory, gpu }: DeviceNavigator = navigator as DeviceNavigator): NodeLabels {
  return [
    ...(deviceMemory === undefined ? [] : [{ key: 'shoal/memory-gib', value: String(deviceMemory) }]),
    { key: 'shoal/webgpu', value: gpu === undefined || gpu === null ? 'no' : 'yes' },
  ]
}
