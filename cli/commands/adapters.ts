import { defineCommand } from '../command.ts'
import { EXIT } from '../failure.ts'
import { printPage } from '../page.ts'

export const adapters = defineCommand({
  name: 'adapters',
  summary: 'List the agents found on this machine',
  prints: { replies: ['listAdapters'] },
  args: {},
  options: {},
  examples: ['dispatch adapters'],
  async run(_options, deps, io) {
    const page = await deps.call('listAdapters')
    const code = printPage(io, page, {
      none: 'No agents.',
      columns: [
        { title: 'AGENT' },
        { title: 'FOUND' },
        { title: 'VERSION' },
        { title: 'LOGIN' },
        { title: 'PROGRAM', flexible: true },
        { title: 'ADVICE', flexible: true },
      ],
      row: (adapter) => [
        adapter.demo ? `${adapter.adapter} (demo)` : adapter.adapter,
        { text: adapter.found ? 'yes' : 'no', style: adapter.found ? 'green' : 'dim' },
        adapter.version ?? '',
        adapter.login,
        adapter.binary && adapter.place
          ? `${adapter.binary} (${adapter.place})`
          : (adapter.binary ?? ''),
        adapter.advice ?? '',
      ],
    })
    for (const { adapter, others } of page.items)
      for (const { path, version, place, why } of others)
        io.note(
          io.clean(
            `${adapter}: not ${path} (${[version, place].filter(Boolean).join(', ')}): ${why}`,
          ),
        )
    return code
  },
})

export const adaptersRescan = defineCommand({
  name: 'adapters rescan',
  summary: 'Let workers look for agents again, such as after an installation or a login',
  prints: { replies: ['scanAdapters'] },
  args: {},
  options: {},
  examples: ['dispatch adapters rescan'],
  async run(_options, deps, io) {
    const reply = await deps.call('scanAdapters', { body: {} })
    if (io.json) io.document(reply)
    io.print('asked')
    io.note('See what they find, in a moment: dispatch adapters')
    return EXIT.ok
  },
})
