import { PATH_SETTINGS, TOKEN_SETTINGS } from '../../contracts/default-settings.ts'
import type { AdapterInfo, Settings } from '../../contracts/schemas.ts'
import { afterScan } from '../after-scan.ts'
import { type Deps, defineCommand } from '../command.ts'
import { EXIT, usageFailure } from '../failure.ts'
import type { Io } from '../io.ts'
import { didYouMean } from '../suggest.ts'
import { tokenCount } from '../token-count.ts'
import { nameWithVersion } from '../who-works.ts'

export const settings = defineCommand({
  name: 'settings',
  summary: 'Show settings, or change one',
  prints: { replies: ['getSettings'] },
  args: {
    key: { help: 'one setting' },
    value: { help: 'its new value ("": none)', mayBeEmpty: true },
  },
  options: {},
  examples: [
    'dispatch settings',
    'dispatch settings maxConcurrent 5',
    'dispatch settings dayBudget 1.5m',
    'dispatch settings claudePath ""',
  ],
  async run({ key, value }, deps, io) {
    const now = await deps.call('getSettings')
    if (key === undefined) return printSettings(now, io)
    if (!isKey(key, now))
      throw usageFailure(
        `There is no setting "${key}".`,
        didYouMean(key, Object.keys(now)) ?? `There are ${Object.keys(now).join(', ')}.`,
      )
    if (value === undefined) return printSettings({ [key]: now[key] }, io)
    const body = { [key]: parsedLike(now[key], { key, value }) } as Partial<Settings>
    const change = async () => {
      const changed = await deps.call('updateSettings', { body })
      // a lower total of runs takes a goal's share along
      const along = Object.entries(changed).filter(
        ([name, it]) => name !== key && isKey(name, now) && now[name] !== it,
      )
      printSettings({ [key]: changed[key], ...Object.fromEntries(along) }, io)
    }
    const adapter = ADAPTERS_BY_SETTING.get(key)
    if (adapter === undefined || now[key] === value) await change()
    else await changeProgram(change, { adapter, path: value }, { deps, io })
    return EXIT.ok
  },
})

const ADAPTERS_BY_SETTING: ReadonlyMap<string, string> = new Map(
  Object.entries(PATH_SETTINGS).map(([adapter, key]) => [key, adapter]),
)

/** What the agent is from now on is known once a worker has looked at it: who asks next is not to be told of the old one. */
async function changeProgram(
  change: () => Promise<void>,
  { adapter, path }: { adapter: string; path: string },
  { deps, io }: { deps: Deps; io: Io },
): Promise<void> {
  const one = (adapters: readonly AdapterInfo[]) =>
    adapters.find((each) => each.adapter === adapter)
  const ready = (adapters: readonly AdapterInfo[]) => path === '' || one(adapters)?.binary === path
  const changed = async () => {
    await change()
    io.note(`Looking at ${adapter} ...`)
  }
  const adapters = await afterScan(changed, ready, deps)
  const now = adapters && one(adapters)
  if (!now) io.note('No worker has said yet what it is. See it later: dispatch adapters')
  else if (!now.found) io.note(io.clean(`${now.title} is not found. ${now.advice ?? ''}`.trim()))
  else io.note(io.clean(`${nameWithVersion(now)} is at ${now.binary}. ${now.advice ?? ''}`.trim()))
}

const isKey = (key: string, known: Settings): key is keyof Settings => Object.hasOwn(known, key)

/** The new value in the type of the old one. */
function parsedLike(
  old: string | number | boolean,
  { key, value }: { key: string; value: string },
) {
  switch (typeof old) {
    case 'boolean':
      if (/^(true|on|yes)$/i.test(value)) return true
      if (/^(false|off|no)$/i.test(value)) return false
      throw usageFailure(`${key} cannot be "${value}": it is true or false.`)
    case 'number':
      if (TOKEN_SETTINGS.includes(key)) return tokenCount(key, value)
      if (/^\d{1,15}$/.test(value)) return Number(value)
      throw usageFailure(`${key} cannot be "${value}": it is a whole number.`)
    default:
      return value
  }
}

function printSettings(values: Partial<Settings>, io: Io): number {
  if (io.json) io.document(values)
  else
    io.table(
      [{ title: 'SETTING' }, { title: 'VALUE', flexible: true }],
      Object.entries(values).map(([name, value]) => [name, String(value)]),
    )
  return EXIT.ok
}
