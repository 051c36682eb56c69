import { MessageChannel as NodeMessageChannel } from 'node:worker_threads'
import { linkContract } from '../testing/link-contract.ts'
import { createMessagePortLink } from './link.ts'

linkContract('a message port link', () => {
  const { port1, port2 } = new MessageChannel()
  return { a: createMessagePortLink(port1), b: createMessagePortLink(port2) }
})

linkContract("a link over Node's own ports", () => {
  const { port1, port2 } = new NodeMessageChannel()
  // The types of worker_threads leave out that these are event targets.
  const link = (port: unknown): ReturnType<typeof createMessagePortLink> => createMessagePortLink(port as MessagePort)
  return { a: link(port1), b: link(port2) }
})
