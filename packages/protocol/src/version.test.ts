import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { bulkChunk } from './messages/bulk.ts'
import { directoryRecord, nodeCard, roomSettings, submitterGrant } from './messages/directory.ts'
import { linkFrame, linkReport, routedChunk } from './messages/link.ts'
import { nameRecord } from './messages/name.ts'
import { groupRecord } from './messages/placement-group.ts'
import { nodeMessage } from './messages/node-message.ts'
import { fromSignalingServer, signal, toSignalingServer } from './messages/signaling.ts'
import { codeDefinition } from './port/definitions.ts'
import { TAG, VIEWS } from './value/tags.ts'
import { PROTOCOL_VERSION } from './version.ts'

/** Everything that another tab, of another build perhaps, has to read. */
const WIRE = [
  nodeMessage,
  linkFrame,
  linkReport,
  routedChunk,
  bulkChunk,
  directoryRecord,
  nodeCard,
  submitterGrant,
  roomSettings,
  nameRecord,
  groupRecord,
  toSignalingServer,
  fromSignalingServer,
  signal,
  codeDefinition,
]

/** The wire of each version. A new version gets a new line; a line that stands is never changed. */
const SHAPES: Readonly<Record<number, string>> = {
  1: '1d09fd0a0fd2c1382e4bebd6aa4574a9',
  2: 'ed29a98c110ecd3131cfaef638977a05',
  3: 'cdcd2c8085a9032ed01b2240efdb1777',
  4: 'cfd1d2fe83569a6a4c72583ec89165a6',
  5: '3ddd14b863611ce229fb5aafdf562bac',
  6: '7de7cc93023bfe0a27ac0b839889af4c',
  7: '6fe58bfcfcae4b34832ea22564d2f21e',
  8: 'b56c16ac4f4bad7a99dce3336fa9c90e',
  9: '5b9dd32f905bff5b9dd52b2854116254',
  10: '9db412ad059e9536ca92f029e8695c96',
  11: '728a41352f9c43008c4985e12191c6f3',
}

describe('the protocol version', () => {
  it('stands for exactly one shape of the wire: if this fails, bump the version', () => {
    const text = [...WIRE.map((schema) => schema.shape), JSON.stringify(TAG), VIEWS.join()].join('\n')
    const hash = createHash('sha256').update(text).digest('hex').slice(0, 32)
    expect({ [PROTOCOL_VERSION]: hash }).toEqual({ [PROTOCOL_VERSION]: SHAPES[PROTOCOL_VERSION] })
  })
})
