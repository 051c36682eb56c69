export { default as text } from './chunk-noble.ts?shoal-inline'
