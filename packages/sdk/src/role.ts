import { PermissionError } from '@shoal/protocol'
import type { RoomSecret } from '@shoal/protocol'
import type { InitOptions, Role } from './session-types.ts'

/**
 * What a tab does, from what was asked and what its link allows.
 *
 * @throws RangeError for options that contradict each other. PermissionError when a helper's link is to submit.
 */
export function roleOf(
  options: Pick<InitOptions, 'role' | 'lend' | 'room'>,
  link: RoomSecret['kind'] | undefined,
): Role {
  const { role, lend } = options
  if (role === 'helper' && link === undefined)
    throw new RangeError("role 'helper' needs a room: name its link in the room option")
  if (lend !== undefined && lend !== false && role === 'driver') throw new RangeError(DRIVER_LENDS)
  if (link === 'helper' && role !== undefined && role !== 'helper')
    throw new PermissionError(
      'permission',
      `role '${role}' needs the room's owner link: this is a helper's link, which lets a tab work and not submit`,
    )
  return role ?? (link === 'helper' ? 'helper' : 'both')
}

export const DRIVER_LENDS = "a tab of role 'driver' lends nothing: take role 'both' or 'helper'"
