// What the tests drive: the SDK, the remote module and the training run, reachable from `page.evaluate`. Nothing starts
// by itself.
import { ES_SETTINGS, trainEs } from '@shoal/rl'
import * as sdk from '@shoal/sdk'
import type { SessionStatus } from '@shoal/sdk'
import * as util from '@shoal/util'
import { at } from './at.ts'
import { conform } from './conform.ts'
import { contentHash, madeBytes } from './content.ts'
import * as crew from './crew.remote.ts'
import * as geometry from './geometry.ts'
import * as ledger from './ledger.remote.ts'
import { SoakDriver } from './soak/driver.ts'
import * as values from './values.remote.ts'
import * as work from './work.remote.ts'

/**
 * Resolves with the first status that the predicate accepts, the present one included.
 * @throws Error with the last status after `limitMs`.
 */
function until(accepts: (status: SessionStatus) => boolean, limitMs = 20_000): Promise<SessionStatus> {
  const session = sdk.currentSession()
  if (session === undefined) throw new Error('until() needs a session')
  return new Promise((resolve, reject) => {
    const look = (status: SessionStatus): void => {
      if (!accepts(status)) return
      end()
      clearTimeout(timer)
      resolve(status)
    }
    const timer = setTimeout(() => {
      end()
      reject(new Error(`waited ${limitMs} ms for ${String(accepts)}; now ${JSON.stringify(session.status())}`))
    }, limitMs)
    const end = session.onStatus(look)
    look(session.status())
  })
}

const shoalTest = {
  at,
  conform,
  sdk,
  work,
  ledger,
  SoakDriver,
  values,
  util,
  crew,
  geometry,
  until,
  contentHash,
  madeBytes,
  ES_SETTINGS,
  trainEs,
}

declare global {
  interface Window {
    shoalTest: typeof shoalTest
  }
}

window.shoalTest = shoalTest
