import { defineCommand } from '../command.ts'
import { EXIT } from '../failure.ts'

export const completion = defineCommand({
  name: 'completion',
  summary: 'Print the completion script of a shell',
  prints: { fields: ['shell', 'script'] },
  args: { shell: { required: true, help: 'your shell', choices: ['bash', 'zsh', 'fish'] } },
  options: {},
  examples: [
    'source <(dispatch completion bash)',
    'source <(dispatch completion zsh)',
    'dispatch completion fish > ~/.config/fish/completions/dispatch.fish',
  ],
  async run({ shell }, _deps, io) {
    const { completionScript } = await import('../completion.ts')
    const script = completionScript(shell)
    if (io.json) io.document({ shell, script })
    io.print(script.trimEnd())
    return EXIT.ok
  },
})
