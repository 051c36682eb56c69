export { default as text } from './node-worker.ts?shoal-second-chunk'
