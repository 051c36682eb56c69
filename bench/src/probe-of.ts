import type { Page } from 'playwright-core'
import { NodeProbe } from '../../scripts/lib/node-probe.ts'

/** Of the node of the bench's page. */
export async function probeOf(page: Page): Promise<NodeProbe> {
  return NodeProbe.of(page, (await page.evaluate(() => bench.self())) ?? '')
}
