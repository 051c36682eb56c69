import { runSeeds } from './ledger-cli.ts'

/** One of the processes of `runLedgerSeeds`. */
await runSeeds(JSON.parse(process.argv[2] ?? '') as Parameters<typeof runSeeds>[0], (said) =>
  process.stdout.write(`${JSON.stringify(said)}\n`),
)
