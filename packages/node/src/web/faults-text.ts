export { default as text } from './chunk-faults.ts?shoal-inline'
