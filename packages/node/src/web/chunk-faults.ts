// Faults on purpose, loaded by the node worker when a page asks for them: `init({ debug: { faults } })`.
import { createFaults, refuseBadFaultRules } from '@shoal/transport'

;(globalThis as { shoalChunk?: unknown }).shoalChunk = { createFaults, refuseBadFaultRules }
