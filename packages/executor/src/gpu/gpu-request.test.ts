import { expect, it } from 'vitest'
import { checkContent, checkRequest } from './gpu-request.ts'

const kept = { release: () => undefined }
const check = (request: unknown) => checkRequest(request, (value) => (value === kept ? 7 : undefined))
const bad = (request: unknown) => () => check(request)
const x = { data: Float32Array.of(1, 2) }
const pass = { code: 'fn', workgroups: 1 }

it('[WG10] fills in what is left out: all buffers are bound in their order, read is their usage, floats are made', () => {
  const { buffers, passes, results } = check({
    buffers: { x, y: { usage: 'out', length: 3 }, n: { data: Uint32Array.of(1), usage: 'uniform' }, k: kept },
    code: 'fn',
    workgroups: [4, 2],
  })
  expect(buffers).toEqual([
    { name: 'x', bytes: 8, data: new Uint8Array(x.data.buffer), isUniform: false, isReadBack: false },
    { name: 'y', bytes: 12, data: undefined, isUniform: false, isReadBack: true },
    { name: 'n', bytes: 4, data: new Uint8Array([1, 0, 0, 0]), isUniform: true, isReadBack: false },
    { name: 'k', kept: 7 },
  ])
  expect(passes).toEqual([
    { code: 'fn', entryPoint: undefined, workgroups: [4, 2, 1], bindings: [0, 1, 2, 3], constants: {} },
  ])
  expect(results).toEqual([{ name: 'y', type: Float32Array }])
})

it('[WG10] what comes back is of the class of what was given, and each pass names its buffers', () => {
  const { passes, results } = check({
    buffers: {
      x: { data: Uint8Array.of(1), usage: 'read-write' },
      y: { usage: 'scratch', length: 1 },
      z: { usage: 'out', length: 1, type: Int32Array },
    },
    passes: [
      { ...pass, bindings: ['x', 'y'], entryPoint: 'first', constants: { N: 4 } },
      { ...pass, bindings: ['y', 'z'] },
    ],
  })
  expect(passes.map(({ bindings }) => bindings)).toEqual([
    [0, 1],
    [1, 2],
  ])
  expect(passes[0]).toMatchObject({ entryPoint: 'first', constants: { N: 4 } })
  expect(results).toEqual([
    { name: 'x', type: Uint8Array },
    { name: 'z', type: Int32Array },
  ])
})

it('[WG10] copies the part of a buffer that a view shows, and may move that; shared memory is read where it lies', () => {
  const whole = new Float32Array(1000)
  const { buffers, moved } = check({ buffers: { x: { data: whole.subarray(10, 12) } }, ...pass })
  expect(moved).toHaveLength(1)
  expect(moved[0]?.byteLength).toBe(8)
  expect(buffers[0]).toMatchObject({ bytes: 8 })
  const shared = new Float32Array(new SharedArrayBuffer(8))
  const made = check({ buffers: { x: { data: shared } }, ...pass })
  expect(made.moved).toEqual([])
  expect((made.buffers[0] as { data: Uint8Array }).data.buffer).toBe(shared.buffer)
})

it('[WG10] refuses what is wrong, by its name', () => {
  expect(bad(undefined)).toThrow(new TypeError('gpu.run() takes an object, got undefined'))
  expect(bad({ buffers: { x }, ...pass, shader: '' })).toThrow(
    'gpu.run(): unknown shader; known are buffers, signal, code',
  )
  expect(bad({ buffers: { x }, passes: [pass], code: '' })).toThrow(
    'gpu.run(): unknown code; known are buffers, signal, passes',
  )
  expect(bad({ buffers: {}, ...pass })).toThrow(RangeError)
  expect(bad({ buffers: { 0: x }, ...pass })).toThrow('buffers: the name 0 is a number')
  expect(bad({ buffers: { x: [1] }, ...pass })).toThrow(new TypeError('buffers.x takes an object, got an array'))
  expect(bad({ buffers: { x: { data: [1] } }, ...pass })).toThrow(
    'buffers.x: read takes data, a typed array, got an array',
  )
  expect(bad({ buffers: { x: { data: new Float32Array(0) } }, ...pass })).toThrow('buffers.x: data is empty')
  expect(bad({ buffers: { x: { ...x, usage: 'write' } }, ...pass })).toThrow(
    'usage must be one of read, read-write, uniform, out, scratch, got "write"',
  )
  expect(bad({ buffers: { x: { ...x, usage: 'out' } }, ...pass })).toThrow('buffers.x: out takes length and type')
  expect(bad({ buffers: { x: { ...x, length: 2 } }, ...pass })).toThrow('buffers.x: length and type are those of data')
  expect(bad({ buffers: { x: { usage: 'out' } }, ...pass })).toThrow('buffers.x.length must be a number, got undefined')
  expect(bad({ buffers: { x: { usage: 'out', length: 0.5 } }, ...pass })).toThrow(RangeError)
  expect(bad({ buffers: { x: { usage: 'out', length: 1, type: Float64Array } }, ...pass })).toThrow(
    'type must be the class of a typed array',
  )
  expect(bad({ buffers: { x }, workgroups: 1 })).toThrow('code must be a text of WGSL, got undefined')
  expect(bad({ buffers: { x }, code: '', workgroups: 0 })).toThrow(
    'workgroups must be a whole number from 1 to 4294967295, got 0',
  )
  expect(bad({ buffers: { x }, code: '', workgroups: [1, 1, 1, 1] })).toThrow(
    'workgroups must be a number or one to three of them',
  )
  expect(bad({ buffers: { x }, passes: [] })).toThrow('passes must be an array of at least one')
  expect(bad({ buffers: { x }, passes: [{ ...pass, bindings: ['y'] }] })).toThrow(
    'passes[0].bindings: there is no buffer "y"; there are x',
  )
  expect(bad({ buffers: { x }, passes: [{ ...pass, constants: { N: '1' } }] })).toThrow(
    'passes[0].constants.N must be a number',
  )
  expect(bad({ buffers: { x }, ...pass, entryPoint: 1 })).toThrow('entryPoint must be a string')
  expect(bad({ buffers: { x }, ...pass, signal: {} })).toThrow('signal must be an AbortSignal')
  expect(() => checkContent({ bytes: 0 })).toThrow(RangeError)
  expect(() => checkContent(undefined)).toThrow(TypeError)
})
