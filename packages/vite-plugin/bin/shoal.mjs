#!/usr/bin/env node
// The command in this repository, where it is TypeScript; the packed SDK has src/bin.ts compiled.
import { tsImport } from 'tsx/esm/api'

await tsImport('../src/bin.ts', import.meta.url)
