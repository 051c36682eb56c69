// The directory and what seeds it over a server (Yjs and y-websocket), loaded by the node worker when it enters a room.
import { createDirectory } from '@shoal/control-store'
import { createDirectorySeed } from '@shoal/control-store/web'

;(globalThis as { shoalChunk?: unknown }).shoalChunk = { createDirectory, createDirectorySeed }
