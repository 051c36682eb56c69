import type { GpuInfo } from '@shoal/core-worker'
import type { ErrorCode } from '@shoal/protocol'

/** What a worker and the broker of its tab's GPU speak over. */
export interface GpuLane {
  post(message: unknown, moved: ArrayBuffer[]): void
  /** Once. */
  listen(handler: (message: unknown) => void): void
  close(): void
}

/** One of a call's buffers, or one that was kept. */
export type WiredBuffer =
  | { readonly name: string; readonly kept: number }
  | {
      readonly name: string
      readonly bytes: number
      /** What is in it at first; zeros otherwise. */
      readonly data: Uint8Array | undefined
      readonly isUniform: boolean
      readonly isReadBack: boolean
    }

export interface WiredPass {
  readonly code: string
  readonly entryPoint: string | undefined
  readonly workgroups: readonly [number, number, number]
  /** Places among the call's buffers. */
  readonly bindings: readonly number[]
  readonly constants: Readonly<Record<string, number>>
}

/** Numbers of calls and of kept buffers are the worker's own. */
export type ToBroker =
  | {
      readonly type: 'run'
      readonly call: number
      readonly buffers: readonly WiredBuffer[]
      readonly passes: readonly WiredPass[]
    }
  | {
      readonly type: 'make'
      readonly call: number
      readonly kept: number
      readonly bytes: number
      readonly data: Uint8Array | undefined
    }
  | { readonly type: 'read'; readonly call: number; readonly kept: number }
  | { readonly type: 'info'; readonly call: number }
  /** Nobody waits for it any more. */
  | { readonly type: 'cancel'; readonly call: number }
  | { readonly type: 'release'; readonly kept: number }
  | { readonly type: 'close' }

/** The answer to one call, exactly one unless it was cancelled. */
export type FromBroker =
  | { readonly call: number; readonly result: readonly ArrayBuffer[] | GpuInfo }
  | { readonly call: number; readonly code: GpuErrorCode; readonly message: string }

export type GpuErrorCode = Extract<ErrorCode, `gpu-${string}`>

/** A call that cannot be done, and why. */
export class GpuFault extends Error {
  readonly code: GpuErrorCode

  constructor(code: GpuErrorCode, message: string) {
    super(message)
    this.code = code
  }
}
