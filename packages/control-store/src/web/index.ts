export { createDirectorySeed } from './seed.ts'
export type { DirectorySeed, DirectorySeedOptions } from './seed.ts'
