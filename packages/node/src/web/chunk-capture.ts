// The parser behind the capture check, loaded by the node worker when the first inline function is to be checked.
import { checkFunction } from '@shoal/capture'

;(globalThis as { shoalChunk?: unknown }).shoalChunk = { checkFunction }
