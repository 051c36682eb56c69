export type { Connection, ConnectionHandlers, Connector, OpenLink } from './connector.ts'
export type { Link, LinkEnd, LinkHandlers } from './link.ts'
export type { LinkStats, Overlay, OverlayHandlers, Peer } from './overlay.ts'
export type { Signaling, SignalingHandlers } from './signaling.ts'
