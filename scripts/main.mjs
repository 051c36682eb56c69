/**
 * The one entry of every command: `node scripts/main.mjs start|examples|test|bench|sim|soak|chaos [flags]`.
 *
 * It knows only how to refuse an old Node. What an old Node cannot parse lives in lib/ and is imported after
 * the check, so this file keeps to syntax of 2015 (no `?.`, no `??`, no top-level await).
 */
var versionParts = process.versions.node.split('.').map(Number)
var major = versionParts[0]
var minor = versionParts[1]
// Vite 8 and ESLint 10 set the floor: 20.19, and 22.12 in the lines after it (both need require(esm)).
var isSupported = (major === 20 && minor >= 19) || (major === 22 && minor >= 12) || major >= 23

if (isSupported) {
  import('./lib/cli.mjs')
    .then(function (cli) {
      return cli.main(process.argv.slice(2))
    })
    .then(
      function (code) {
        process.exitCode = code
      },
      function (error) {
        console.error(error && error.isPlain ? 'shoal: ' + error.message : error)
        process.exitCode = (error && error.exitCode) || 1
      },
    )
} else {
  console.error(
    'Shoal needs Node 20.19 or newer (22.12 or newer in the 22 line), and this is Node ' +
      process.versions.node +
      ': install a current one from https://nodejs.org and run the command again.',
  )
  process.exitCode = 1
}
