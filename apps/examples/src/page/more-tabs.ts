import { createRoom, init } from '@shoal/sdk'
import type { Session } from '@shoal/sdk'
import { make } from './card.ts'

/** A link into a room has its secret behind the #: a tab that comes by one helps, once its person says so in the badge. */
export const isHelper = location.hash.length > 1

/** The CPU in a GPU's place counts where it is asked for. */
const gpu = new URLSearchParams(location.search).get('gpu') === 'software' ? { numGpus: 1 } : {}

/** The head of the page: what this tab does, and the way to more tabs. Resolves with the session. */
export async function startTab(state: HTMLElement, invite: HTMLElement): Promise<Session> {
  const session = await init(isHelper ? { room: location.href, ...gpu } : gpu)
  const show = (): void => {
    const { members, slots, guestTasksRun, wantsToLend } = session.status()
    const others = members.filter((member) => !member.isSelf && member.state === 'connected').length
    const room = others === 0 ? '' : ` with ${others} other ${others === 1 ? 'tab' : 'tabs'}`
    state.textContent = isHelper
      ? wantsToLend
        ? `This tab helps${room}: ${guestTasksRun} tasks so far.`
        : 'This tab can help: press Lend below. Nothing of others runs here until you do.'
      : `This tab computes${room}: ${slots} ${slots === 1 ? 'worker' : 'workers'} of its own.`
  }
  session.onStatus(show)
  show()
  if (isHelper) invite.remove()
  else offerRoom(invite)
  return session
}

function offerRoom(invite: HTMLElement): void {
  const button = invite.querySelector('button')
  if (button === null) return
  button.onclick = () => {
    button.disabled = true
    createRoom({ server: location.origin }).then(
      ({ helperLink }) => {
        const link = make('a', { href: helperLink, target: '_blank', textContent: 'Open this link in another tab' })
        link.title = 'Or on another device'
        invite.replaceChildren(link)
      },
      (error: unknown) => {
        invite.textContent = `No room: ${error instanceof Error ? error.message : String(error)}`
      },
    )
  }
  // Until now a click would have been lost.
  button.disabled = false
}
