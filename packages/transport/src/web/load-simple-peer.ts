import type SimplePeer from 'simple-peer'
import './simple-peer.d.ts'

export type SimplePeerClass = SimplePeer.SimplePeer

/** Loads simple-peer with the first connection: a tab that works alone never needs it. */
export async function loadSimplePeer(): Promise<SimplePeerClass> {
  const { default: loaded } = await import('simple-peer/simplepeer.min.js')
  return loaded
}
