import path from 'node:path'
import { CoreWorker, createApi, outsideOfTasks } from '@shoal/core-worker'
import type { Api } from '@shoal/core-worker'
import { rolldown } from 'rolldown'
import { afterEach, describe, expect, it, vi } from 'vitest'

const limit = 3

/** The page's functions with an early check of its own, which has loaded no parser yet. */
async function freshApi(): Promise<Api> {
  vi.resetModules()
  const { checkEarly } = await import('./early-check.ts')
  const clock = { now: () => 0, after: () => ({ cancel: () => undefined }) }
  const port = { post: () => undefined, onFrame: () => undefined, close: () => undefined }
  const core = new CoreWorker({ port, clock, submitter: 0 })
  return createApi({
    core: () => core,
    moduleScope: () => undefined,
    context: () => outsideOfTasks(''),
    checkEarly,
  })
}

afterEach(() => {
  vi.unstubAllGlobals()
  vi.unstubAllEnvs()
  vi.restoreAllMocks()
})

describe('the capture check in development', () => {
  it('is told for what was defined before the parser came, and thrown by what is defined after', async () => {
    vi.stubGlobal('document', {})
    const told = vi.spyOn(console, 'error').mockImplementation(() => undefined)
    const { remote, actor } = await freshApi()
    const captures = remote((x: number) => x + limit)
    const fine = remote((x: number) => x + 1)
    await vi.waitFor(() => expect(told).toHaveBeenCalledOnce())
    const [error] = told.mock.calls[0] ?? []
    expect(error).toMatchObject({ name: 'CaptureError', code: 'capture', details: { identifier: 'limit' } })
    const { message } = error as Error
    // Vitest runs this file as a module whose imports and variables keep their names.
    expect(message).toContain('uses `limit`')
    expect(message).toContain('x + limit')
    expect(message).toContain('remote({ limit }, ({ limit }, ...args) => ...)')
    expect(message).toMatch(/remote\(\) was called at .*early-check\.test\.ts:\d+:\d+/)
    expect(() => captures.remote(1)).toThrow(error as Error)
    expect(() => fine.remote(1)).not.toThrow()
    expect(() => remote((x: number) => x * limit)).toThrow('uses `limit`')
    class Base {}
    expect(() => actor(class extends Base {})).toThrow(/extends `Base`.*actor\(\) was called at/s)
    expect(told).toHaveBeenCalledOnce()
  })

  it('does nothing on a server and in production', async () => {
    const told = vi.spyOn(console, 'error').mockImplementation(() => undefined)
    const onServer = await freshApi()
    expect(() => onServer.remote((x: number) => x + limit).remote(1)).not.toThrow()
    vi.stubGlobal('document', {})
    vi.stubEnv('NODE_ENV', 'production')
    const inProduction = await freshApi()
    expect(() => inProduction.remote((x: number) => x + limit).remote(1)).not.toThrow()
    await import('@shoal/capture')
    expect(told).not.toHaveBeenCalled()
  })

  it.each([
    ['production', false],
    ['development', true],
  ])('a bundle for %s has the parser: %s', async (mode, isThere) => {
    const input = path.join(import.meta.dirname, 'early-check.ts')
    const build = await rolldown({ input, transform: { define: { 'process.env.NODE_ENV': JSON.stringify(mode) } } })
    const { output } = await build.generate({ format: 'es' })
    await build.close()
    const modules = output.flatMap((file) => (file.type === 'chunk' ? Object.keys(file.modules) : []))
    expect(modules.some((id) => id.includes('acorn'))).toBe(isThere)
  })
})
