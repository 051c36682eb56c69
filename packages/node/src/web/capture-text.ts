export { default as text } from './chunk-capture.ts?shoal-inline'
