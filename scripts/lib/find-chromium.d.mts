/** Types of find-chromium.mjs for TypeScript callers (e2e, bench, run-room). */
export const MIN_CHROMIUM_VERSION: number

/** Looks only; `refused` holds one sentence for each candidate turned down. */
export function findChromium(env?: Record<string, string | undefined>): {
  path: string | undefined
  refused: string[]
}

/** Looks, then downloads, then installs where allowed; throws an error that says what to install. */
export function ensureChromium(options: { say: (line: string) => void; installSystem?: boolean }): Promise<string>

/** Launch options for Playwright's `chromium.launch`; without a path, the one findChromium finds. */
export function chromiumLaunchOptions(executablePath?: string): { executablePath: string; args: string[] }
