// The second stage of the node worker, loaded when it enters a room: links, who is there, and the directory (Yjs).
export { createDirectorySeed } from '@shoal/control-store/web'
export { createRtcConnector, createWebSocketSignaling } from '@shoal/transport/web'
export { createRoomLink } from '../room-link.ts'
