import { defineConfig } from '@playwright/test'
import { chromiumLaunchOptions } from '../scripts/lib/find-chromium.mjs'

const { executablePath, args } = chromiumLaunchOptions()

/**
 * Everything that needs a real browser: the e2e of the whole room, and the packages' own browser specs. One worker:
 * rooms are made of several tabs that use every core, and two rooms at once would measure each other.
 */
export default defineConfig({
  testDir: '..',
  testMatch: ['e2e/**/*.spec.ts', 'packages/**/*.web.spec.ts'],
  globalSetup: './support/build-page.ts',
  outputDir: '../.shoal/test-results',
  workers: 1,
  fullyParallel: false,
  forbidOnly: process.env['CI'] !== undefined,
  retries: 0,
  timeout: 60_000,
  reporter: [['list'], ['json', { outputFile: '../.shoal/playwright.json' }]],
  use: {
    launchOptions: { executablePath, args: [...args, '--disable-background-networking'] },
    trace: 'retain-on-failure',
  },
})
