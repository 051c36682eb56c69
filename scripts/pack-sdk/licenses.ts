import { readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'

/**
 * The licences of the packages whose code is inside, as theirs ask for.
 *
 * @throws Error for a package without a licence file.
 */
export function thirdPartyLicenses(modules: Iterable<string>): string {
  const folders = new Set<string>()
  for (const id of modules) {
    const match = /^\0?(.*[\\/]node_modules[\\/](?:@[^\\/]+[\\/])?[^\\/]+)[\\/]/.exec(id)
    if (match?.[1] !== undefined && !/[\\/]@shoal[\\/]/.test(match[1])) folders.add(match[1])
  }
  const texts = [...folders].sort().map((folder) => {
    const { name, version } = JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8')) as {
      name: string
      version: string
    }
    const file = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry))
    if (file === undefined) throw new Error(`${name} ${version} has no licence file`)
    return `${name} ${version}\n\n${readFileSync(path.join(folder, file), 'utf8').trim()}\n`
  })
  return ['The code of these packages is inside @shoal/sdk.\n', ...texts].join(`\n${'-'.repeat(80)}\n\n`)
}
