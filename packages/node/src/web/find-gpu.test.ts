import type { GpuInfo } from '@shoal/core-worker'
import { afterEach, expect, it, vi } from 'vitest'
import { findGpu } from './find-gpu.ts'

afterEach(() => vi.unstubAllGlobals())

/** A thread whose browser gives an adapter or none, and a sandbox frame that says what it got. */
function browser(hasAdapter: boolean, info: Partial<GpuInfo> | undefined) {
  vi.stubGlobal('navigator', { gpu: { requestAdapter: () => Promise.resolve(hasAdapter ? {} : null) } })
  let asked = 0
  const host = {
    gpuInfo: () => {
      asked++
      return Promise.resolve(info as GpuInfo | undefined)
    },
  }
  return { host, asked: () => asked }
}

const one = [{ name: 'GPU', units: 10_000 }]

it('[WG11] a tab with a GPU offers one, and says whose', async () => {
  const { host } = browser(true, { vendor: 'nvidia', isFallback: false })
  expect(await findGpu(host, undefined)).toEqual({ resources: one, labels: [{ key: 'shoal/gpu', value: 'nvidia' }] })
  expect(await findGpu(host, 2)).toMatchObject({ resources: [{ name: 'GPU', units: 20_000 }] })
})

it('[WG11] the CPU in its place counts where the page says a number', async () => {
  const { host } = browser(true, { vendor: 'google', isFallback: true })
  expect(await findGpu(host, undefined)).toBeUndefined()
  expect(await findGpu(host, 1)).toEqual({ resources: one, labels: [{ key: 'shoal/gpu', value: 'fallback' }] })
})

it('[WG11] without an adapter, without WebGPU and with 0 the sandbox is not asked', async () => {
  const { host, asked } = browser(false, undefined)
  expect(await findGpu(host, undefined)).toBeUndefined()
  vi.stubGlobal('navigator', {})
  expect(await findGpu(host, undefined)).toBeUndefined()
  const other = browser(true, { vendor: 'nvidia', isFallback: false })
  expect(await findGpu(other.host, 0)).toBeUndefined()
  expect(asked() + other.asked()).toBe(0)
})

it('[WG11] a sandbox that gets none offers none', async () => {
  const { host, asked } = browser(true, undefined)
  expect(await findGpu(host, undefined)).toBeUndefined()
  expect(asked()).toBe(1)
})
