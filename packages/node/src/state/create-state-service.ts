import { LocalState } from './local-state.ts'
import type { LocalStateOptions } from './local-state.ts'
import { StateService } from './state-service.ts'
import type { StateServiceOptions } from './state-service.ts'

/** What a node hands to whatever answers questions about it. */
export type StatePorts = LocalStateOptions & Omit<StateServiceOptions, 'local'>

/** Behind one door, so that a tab can load it when somebody first asks. */
export function createStateService(ports: StatePorts): StateService {
  return new StateService({ ...ports, local: new LocalState(ports) })
}
