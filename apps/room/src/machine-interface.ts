/**
 * How programs watch and drive the page: `npm start -- --tabs N --run NAME`, end-to-end tests.
 *
 * The URL's fragment says what to do (see model/page-url.ts):
 *   #auto=make              make a room without a click
 *   #room=...&auto=help     lend at once, under a program's control or in a window that this page opened for its person
 *   #run=NAME&tabs=N        make a room if there is none, wait for N lending tabs (20 s at most), drive the demo
 *
 * `window.__shoal__` says what happens; all it gives is plain data, but for `room`:
 *   status()                the session's SessionStatus, undefined before there is a session
 *   screen()                welcome | opening | failed | open | left, with a message when failed
 *   room                    the SDK's Room: helperLink, ownerLink, fingerprint, members()
 *   run                     the newest RunReport, see model/run-report.ts
 *   onRun(listener)         called with every report; gives back what ends it
 *   listTasks() ...         the session's state API: `console.table((await __shoal__.listTasks()).rows)`
 */
import { effect } from '@preact/signals'
import type { Room, SessionStatus, StateApi } from '@shoal/sdk'
import { mayHelpUnasked } from './model/helper-tabs.ts'
import type { Page } from './model/page-context.ts'
import type { Screen } from './model/room-model.ts'
import type { RunReport } from './model/run-report.ts'

export interface MachineInterface extends StateApi {
  status(): SessionStatus | undefined
  screen(): Screen
  readonly room: Room | undefined
  readonly run: RunReport | undefined
  onRun(listener: (report: RunReport) => void): () => void
  /** True once for a window that this page opened as a helper's, on a person's click. */
  vouchFor(asking: Window): boolean
}

declare global {
  interface Window {
    __shoal__?: MachineInterface
  }
}

const LONGEST_WAIT_MS = 20_000

export function exposeMachineInterface(page: Page, target: Window): void {
  target.__shoal__ = {
    status: () => page.model.currentStatus(),
    screen: () => page.model.screen.peek(),
    get room() {
      return page.model.room.peek()
    },
    get run() {
      return page.runs.report
    },
    onRun: (listener) => page.runs.onRun(listener),
    vouchFor: (asking) => page.helpers.vouchFor(asking),
    // The SDK leaves the place to whoever has it, which is this page.
    listTasks: async (options) => page.model.session().listTasks(options),
    listActors: async (options) => page.model.session().listActors(options),
    listObjects: async (options) => page.model.session().listObjects(options),
    listNodes: async (options) => page.model.session().listNodes(options),
    listWorkers: async (options) => page.model.session().listWorkers(options),
    listPlacementGroups: async (options) => page.model.session().listPlacementGroups(options),
    summarizeTasks: async (options) => page.model.session().summarizeTasks(options),
    nodes: async (options) => page.model.session().nodes(options),
    clusterResources: async (options) => page.model.session().clusterResources(options),
    availableResources: async (options) => page.model.session().availableResources(options),
    getTaskState: async (task, options) => page.model.session().getTaskState(task, options),
    getActorState: async (actor, options) => page.model.session().getActorState(actor, options),
    getObjectState: async (object, options) => page.model.session().getObjectState(object, options),
  }
}

/** Opens what the URL names, and does what its options ask for. */
export async function startFromUrl({ address, model, runs }: Page): Promise<void> {
  const { room, auto, run, tabs } = address.url.peek()
  if (room !== undefined) await model.openFromUrl()
  else if (auto === 'make' || run !== undefined) await model.makeRoom()
  if (model.screen.peek().kind !== 'open') return
  if (auto === 'help' && mayHelpUnasked(window)) model.lend(true)
  if (run === undefined || !model.canSubmit.peek()) return
  runs.announce(run)
  await tabsLend(model, tabs)
  runs.ask(run)
}

function tabsLend({ status }: Page['model'], tabs: number): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(done, LONGEST_WAIT_MS)
    const stop = effect(() => {
      const members = status.value?.members ?? []
      const isReady = (member: (typeof members)[number]): boolean =>
        member.isSelf || (member.slots > 0 && member.state === 'connected')
      // Not from inside the effect: `stop` is not there yet on its first run.
      if (Math.max(1, members.filter(isReady).length) >= tabs) queueMicrotask(done)
    })
    function done(): void {
      clearTimeout(timer)
      stop()
      resolve()
    }
  })
}
