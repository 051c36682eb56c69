import type { Refusal } from '@shoal/protocol'

/** Why a room's server will not have a tab, in sentences for people. */
export const REFUSED: Readonly<Record<Refusal, string>> = {
  version: "The room's server runs another version of Shoal: reload this tab.",
  malformed: "The room's server did not understand this tab: reload it.",
  'too-large': "The room's server refused a message of this tab as too large.",
  'too-fast': "The room's server cut this tab off for a while: it sent too much at once.",
  'room-full': 'This room is full. The tabs that are in it go on; try again later.',
  'server-full': "The room's server is full; try again later.",
  idle: "The room's server closed an idle connection; it is opened again when needed.",
  replaced: 'This tab was opened a second time; only the newer one is in the room.',
  'shutting-down': "The room's server is shutting down. The tabs that are linked go on.",
}
