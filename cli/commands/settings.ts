import type { Settings } from '../../contracts/schemas.ts'
import { defineCommand } from '../command.ts'
import { EXIT, usageFailure } from '../failure.ts'
import type { Io } from '../io.ts'
import { didYouMean } from '../suggest.ts'

export const settings = defineCommand({
  name: 'settings',
  summary: 'Show settings, or change one',
  args: {
    key: { help: 'one setting' },
    value: { help: 'its new value ("": none)', mayBeEmpty: true },
  },
  options: {},
  examples: [
    'dispatch settings',
    'dispatch settings maxConcurrent 5',
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
    const changed = await deps.call('updateSettings', { body })
    return printSettings({ [key]: changed[key] }, io)
  },
})

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
      if (!/^\d{1,15}$/.test(value))
        throw usageFailure(`${key} cannot be "${value}": it is a whole number.`)
      return Number(value)
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
