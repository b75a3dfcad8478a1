/** What stands for the folders and the address of one machine in a recording. */
const CWD = '/home/person/project'
const HOME = '/home/person'
const MODEL = 'http://127.0.0.1:9'

/** Of the machine alone, or of no interest to any adapter, and a lot of it. */
const UNREAD =
  /"remoteControl\/status|"available_commands_update"|"config_option_update"|"role":"developer"/
const EMPTIED = new Set(
  'agents authMethods commands config configOptions features models origins plugins skills slash_commands'.split(
    ' ',
  ),
)
const MAX_CHARS = 500

export interface Machine {
  cwd: string
  home: string
  /** The address of the scripted model. */
  model: string
  /** Where the agents of the tests are installed. */
  agents: string
}

/** A conversation as recorder.mjs wrote it down, fit to be kept: of no machine or person, and short. `agent`: its name and version. */
export function cleanRecording(text: string, agent: string, machine: Machine): string {
  const places = [
    [machine.cwd, CWD],
    [machine.home, HOME],
    // the name that an agent makes of a folder
    [machine.cwd.replaceAll('/', '-'), CWD.replaceAll('/', '-')],
    [machine.model, MODEL],
    [machine.agents, '/opt/agents'],
  ] as const
  const lines = places.reduce((all, [from, to]) => all.replaceAll(from, to), text).trimEnd()
  return lines
    .split('\n')
    .filter((line) => !UNREAD.test(line))
    .map((line) => JSON.parse(line, (key, value) => shortened(key, value)))
    .map((line) => `${JSON.stringify(line.run ? { run: { agent, ...line.run } } : line)}\n`)
    .join('')
}

function shortened(key: string, value: unknown): unknown {
  if (EMPTIED.has(key)) return Array.isArray(value) ? [] : {}
  if (typeof value !== 'string' || value.length <= MAX_CHARS) return value
  return `${value.slice(0, MAX_CHARS)} ...`
}
