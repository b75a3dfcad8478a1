import axe from 'axe-core'
import type { Page } from 'playwright-core'

/** What axe calls a violation in the page as it is now, each with the first elements; `only` or `without` name its rules. */
export async function violations(
  page: Page,
  { only, without = [] }: { only?: string[]; without?: string[] } = {},
): Promise<string[]> {
  const rules = only
    ? { runOnly: { type: 'rule', values: only } }
    : { rules: Object.fromEntries(without.map((rule) => [rule, { enabled: false }])) }
  // what passes is not described, which is most of its work
  const options = JSON.stringify({ resultTypes: ['violations'], ...rules })
  if (!(await page.evaluate<boolean>('"axe" in window'))) await page.evaluate(axe.source)
  const { violations: found } = await page.evaluate<axe.AxeResults>(`axe.run(document, ${options})`)
  return found.map(({ id, nodes }) => `${id}: ${nodes.slice(0, 3).map((node) => node.html)}`)
}
