export { damaged, generate, typesOf } from './generate.ts'
export type { GeneratorOptions } from './generate.ts'
