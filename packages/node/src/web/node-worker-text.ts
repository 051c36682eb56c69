export { default as text } from './node-worker.ts?shoal-first'
