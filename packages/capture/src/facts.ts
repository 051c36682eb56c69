// The part of this package that needs no parser, for the page's bundle: the parser is loaded lazily, elsewhere.
export { describeFunction, isNativeText } from './function-facts.ts'
export type { FunctionFacts, MemberFact } from './function-facts.ts'
