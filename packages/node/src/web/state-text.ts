export { default as text } from './chunk-state.ts?shoal-inline'
