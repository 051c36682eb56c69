// The state API's answers, loaded by the node worker when somebody first asks.
import { createStateService } from '../state/create-state-service.ts'

;(globalThis as { shoalChunk?: unknown }).shoalChunk = { createStateService }
