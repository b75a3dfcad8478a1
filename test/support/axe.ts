import { AxeBuilder } from '@axe-core/playwright'
import type { Page } from 'playwright-core'

/** What axe calls a violation in the page as it is now, each with the first elements; `only` or `without` name its rules. */
export async function violations(
  page: Page,
  { only, without = [] }: { only?: string[]; without?: string[] } = {},
): Promise<string[]> {
  const axe = new AxeBuilder({ page }).setLegacyMode() // no frames here: no second page for each look
  axe.options({ resultTypes: ['violations'] }) // what passes is not described, which is most of its work
  const look = only ? axe.withRules(only) : axe.disableRules(without)
  const { violations: found } = await look.analyze()
  return found.map(({ id, nodes }) => `${id}: ${nodes.slice(0, 3).map((node) => node.html)}`)
}
