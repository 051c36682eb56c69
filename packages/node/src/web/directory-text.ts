export { default as text } from './chunk-directory.ts?shoal-inline'
