import type { GpuWorkerHost } from '@shoal/executor/web'
import { GPU, GPU_LABEL, toResourceSet } from '@shoal/protocol'
import type { NodeLabels, ResourceSet } from '@shoal/protocol'

/**
 * What a tab offers that has a GPU: one GPU unless its page said how many, and a label. Nothing where the sandbox gets none,
 * as on an insecure origin; and nothing for the CPU in a GPU's place, which is slower than tasks without it, unless the page
 * said that it is to count.
 */
export async function findGpu(
  host: Pick<GpuWorkerHost, 'gpuInfo'>,
  numGpus: number | undefined,
): Promise<{ readonly resources: ResourceSet; readonly labels: NodeLabels } | undefined> {
  if (numGpus === 0) return undefined
  // This thread's own answer is cheap and is no in most tabs: only then is the broker loaded, which asks where tasks will.
  const gpu = (navigator as { readonly gpu?: GPU }).gpu
  if (!(await gpu?.requestAdapter())) return undefined
  const info = await host.gpuInfo()
  if (info === undefined || (info.isFallback && numGpus === undefined)) return undefined
  const value = info.isFallback ? 'fallback' : info.vendor || 'unknown'
  return { resources: toResourceSet({ [GPU]: numGpus ?? 1 }), labels: [{ key: GPU_LABEL, value }] }
}
