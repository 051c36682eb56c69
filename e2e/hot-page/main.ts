// What the hot update test drives; it accepts no update itself, so that any it is told of reloads the page.
import * as sdk from '@shoal/sdk'
import * as work from './work.remote.ts'

const hotTest = { sdk, work }

declare global {
  interface Window {
    hotTest: typeof hotTest
  }
}

window.hotTest = hotTest
