import { cn } from '../../lib/cn.ts'

/** Who works on the first goal: the agent of the project's profile, or the scripted one. */
export type Worker = 'agent' | 'demo'

const CHOICES: readonly { worker: Worker; title: string; detail: string }[] = [
  {
    worker: 'demo',
    title: 'Demo agent',
    detail:
      'Scripted, no model: it shows how a goal goes, and does not do what you wrote. Nothing is spent.',
  },
  {
    worker: 'agent',
    title: 'Your own agent',
    detail: 'The goal needs attention until one is installed and logged in; then you retry it.',
  },
]

/** Shown while no agent is ready. Nothing is chosen beforehand: the demo agent plays only where a person asked for it. */
export function WorkerChoice(props: {
  value: Worker | undefined
  onChange: (worker: Worker) => void
}) {
  return (
    <fieldset className="mt-5">
      <legend className="mb-2 font-medium">No agent is ready. Who should work on this goal?</legend>
      <div className="grid gap-2">
        {CHOICES.map(({ worker, title, detail }) => (
          <label
            key={worker}
            className={cn(
              'flex items-start gap-2.5 rounded-md border px-3 py-2.5 hover:bg-hover has-focus-visible:outline-2 has-focus-visible:outline-focus',
              props.value === worker && 'border-accent bg-accent-soft',
            )}
          >
            <input
              type="radio"
              name="worker"
              className="mt-0.5 size-3.5 shrink-0 accent-accent outline-none"
              checked={props.value === worker}
              onChange={() => props.onChange(worker)}
            />
            <span className="min-w-0">
              <span className="block font-medium">{title}</span>
              <span className="block text-12 text-fg-2">{detail}</span>
            </span>
          </label>
        ))}
      </div>
    </fieldset>
  )
}
