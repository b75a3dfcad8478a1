import { useMutation, useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { ArrowRight, Check, FolderGit2 } from 'lucide-react'
import { type ReactNode, useEffect, useState } from 'react'
import { DEMO_PROFILE } from '../../../../contracts/profile.ts'
import type { Project } from '../../../../contracts/schemas.ts'
import { call } from '../../app/api.ts'
import { adaptersQuery, projectsQuery } from '../../app/queries.ts'
import { explain, toast } from '../../app/toasts.ts'
import { Button } from '../../components/button.tsx'
import { Field, Textarea } from '../../components/field.tsx'
import { Select } from '../../components/select.tsx'
import { cn } from '../../lib/cn.ts'
import { listed } from '../../lib/format.ts'
import { clearDraft, useGoalDraft } from '../goals/goal-draft.ts'
import { AdapterList } from '../settings/adapter-list.tsx'
import { AddProjectForm } from '../settings/add-project-form.tsx'
import { readWelcome, STEPS, type Step, writeWelcome } from './welcome-state.ts'
import { type Worker, WorkerChoice } from './worker-choice.tsx'

/** The first visit in three steps: agents, a project, a goal. It can be left at any time and goes on where it was left. */
export function WelcomePage() {
  const navigate = useNavigate()
  const [step, setStep] = useState<Step>(() => {
    const known = readWelcome()
    return known === undefined || known === 'over' ? 'agents' : known
  })
  useEffect(() => {
    document.title = 'Welcome · Dispatch'
  }, [])
  const go = (next: Step | 'over') => {
    writeWelcome(next)
    if (next === 'over') void navigate({ to: '/' })
    else setStep(next)
  }
  return (
    <div className="min-h-0 flex-1 overflow-y-auto">
      <div className="mx-auto flex min-h-full max-w-[600px] flex-col px-6 py-10 max-md:px-4 max-md:py-6">
        <div className="mb-8 flex items-center gap-4">
          <h1 className="flex-1 text-20 font-semibold tracking-[-0.01em]">Welcome to Dispatch</h1>
          <Button tone="ghost" onClick={() => go('over')}>
            Skip set-up
          </Button>
        </div>
        <Progress step={step} onStep={go} />
        {step === 'agents' && <AgentsStep onNext={() => go('project')} />}
        {step === 'project' && (
          <ProjectStep onBack={() => go('agents')} onNext={() => go('goal')} />
        )}
        {step === 'goal' && <GoalStep onBack={() => go('project')} onEnd={() => go('over')} />}
      </div>
    </div>
  )
}

const TITLES: Readonly<Record<Step, string>> = {
  agents: 'Agents',
  project: 'Project',
  goal: 'First goal',
}

function Progress({ step, onStep }: { step: Step; onStep: (step: Step) => void }) {
  const at = STEPS.indexOf(step)
  return (
    <ol aria-label="Steps" className="mb-6 flex gap-2">
      {STEPS.map((one, index) => (
        <li key={one} className="flex-1">
          <button
            type="button"
            aria-current={one === step ? 'step' : undefined}
            onClick={() => onStep(one)}
            className={cn(
              'flex w-full items-center gap-1.5 border-t-2 pt-2 text-left text-12',
              index <= at ? 'border-accent text-fg' : 'border-line text-fg-3',
              one === step && 'font-medium',
            )}
          >
            {index < at && <Check size={13} className="text-accent-fg" aria-label="done" />}
            {TITLES[one]}
          </button>
        </li>
      ))}
    </ol>
  )
}

function StepView(props: {
  title: string
  detail: ReactNode
  children: ReactNode
  onBack?: () => void
  next: ReactNode
}) {
  return (
    <section aria-label={props.title} className="flex flex-1 flex-col">
      <h2 className="text-16 font-semibold">{props.title}</h2>
      <p className="mt-1 mb-4 text-fg-2">{props.detail}</p>
      {props.children}
      <div className="mt-6 flex items-center justify-end gap-2">
        {props.onBack && (
          <Button size="lg" tone="ghost" onClick={props.onBack} className="mr-auto">
            Back
          </Button>
        )}
        {props.next}
      </div>
    </section>
  )
}

function AgentsStep({ onNext }: { onNext: () => void }) {
  const { data } = useQuery(adaptersQuery())
  const ready = data?.items.filter((one) => one.found && !one.demo && one.login !== 'needed') ?? []
  return (
    <StepView
      title="Which agents are here"
      detail={
        ready.length > 0
          ? `${listed(ready.map(({ title }) => title))} can work for you. Dispatch uses your own installation and login.`
          : 'Dispatch drives the coding agents of this machine, with your own installation and login. To see how a goal goes before you have one, you can ask for the demo agent.'
      }
      next={
        <Button tone="primary" size="lg" autoFocus onClick={onNext}>
          Continue
          <ArrowRight size={14} aria-hidden="true" />
        </Button>
      }
    >
      <div className="overflow-hidden rounded-lg border">
        <AdapterList />
      </div>
    </StepView>
  )
}

function ProjectStep({ onBack, onNext }: { onBack: () => void; onNext: () => void }) {
  const { data } = useQuery(projectsQuery())
  const added = data?.items ?? []
  return (
    <StepView
      title="What they work on"
      detail="A project is a git repository on the machine where Dispatch runs."
      onBack={onBack}
      next={
        <Button tone={added.length > 0 ? 'primary' : 'secondary'} size="lg" onClick={onNext}>
          {added.length > 0 ? 'Continue' : 'Later'}
          <ArrowRight size={14} aria-hidden="true" />
        </Button>
      }
    >
      {added.length > 0 && (
        <ul aria-label="Projects" className="mb-4 overflow-hidden rounded-md border">
          {added.map((project) => (
            <li
              key={project.id}
              className="flex h-9 min-w-0 items-center gap-2 border-b border-line/60 px-2.5 last:border-b-0"
            >
              <FolderGit2 size={14} className="shrink-0 text-fg-3" aria-hidden="true" />
              <bdi className="shrink-0 font-medium">{project.name}</bdi>
              <bdi className="min-w-0 flex-1 truncate font-mono text-11 text-fg-3">
                {project.path}
              </bdi>
              <Check size={14} className="shrink-0 text-ok" aria-label="added" />
            </li>
          ))}
        </ul>
      )}
      <AddProjectForm autoFocus onAdded={onNext} />
    </StepView>
  )
}

/** Small and useful in nearly any repository, so that the first goal is read, not feared. */
const EXAMPLES = [
  {
    name: 'Cover an edge case',
    text: 'Find one function with an edge case that no test covers, add tests for it, and mend what they show.',
  },
  {
    name: 'Better error messages',
    text: 'Make the error messages that a user sees first say what is wrong and what to do about it.',
  },
  {
    name: 'A quick start',
    text: 'Write a quick start of five lines into the README and make sure that each of its commands works.',
  },
] as const

function GoalStep({ onBack, onEnd }: { onBack: () => void; onEnd: () => void }) {
  const { data: projects } = useQuery(projectsQuery())
  const { data: adapters } = useQuery(adaptersQuery())
  const [{ description: text }, change] = useGoalDraft()
  const setText = (description: string) => change({ description })
  const [chosen, setChosen] = useState<string>()
  const project = projects?.items.find(({ id }) => id === chosen) ?? projects?.items[0]
  const noneReady =
    adapters !== undefined &&
    !adapters.items.some((one) => one.found && !one.demo && one.login !== 'needed')
  const [worker, setWorker] = useState<Worker>()
  const who = noneReady ? worker : 'agent'
  const missing = !project || text.trim() === '' || who === undefined
  const file = useMutation({
    mutationFn: (to: Project) =>
      call('createGoal', {
        body: {
          ...{ project: to.id, description: text },
          ...(who === 'demo' ? { profile: DEMO_PROFILE } : {}),
        },
      }),
    onSuccess: ({ shortId }) => {
      clearDraft(text)
      toast(`${shortId} filed`, { tone: 'ok', detail: 'Its spec comes to you for review.' })
      onEnd()
    },
  })
  const submit = () => {
    if (project && !missing && !file.isPending) file.mutate(project)
  }
  const isOwn = text.trim() !== '' && EXAMPLES.every((example) => example.text !== text)
  return (
    <StepView
      title="Your first goal"
      detail="Say what should exist. Dispatch writes a spec and asks you before any code is written."
      onBack={onBack}
      next={
        <>
          <Button size="lg" onClick={onEnd}>
            Go to goals
          </Button>
          <Button
            tone="primary"
            size="lg"
            keys="$mod+Enter"
            busy={file.isPending}
            disabled={missing}
            onClick={submit}
          >
            File goal
          </Button>
        </>
      }
    >
      <Field label="Goal" error={file.error ? explain(file.error) : undefined}>
        {(control) => (
          <Textarea
            {...control}
            autoFocus
            placeholder="What should exist?"
            value={text}
            readOnly={file.isPending} // what is written now would be in no goal
            onChange={(event) => setText(event.target.value)}
            onKeyDown={(event) => {
              if (event.key === 'Enter' && (event.metaKey || event.ctrlKey)) submit()
            }}
            className="min-h-28"
          />
        )}
      </Field>
      {isOwn || (
        <fieldset aria-label="Examples" className="mt-2 flex flex-wrap gap-1.5">
          {EXAMPLES.map((example) => (
            <Button key={example.name} size="sm" onClick={() => setText(example.text)}>
              {example.name}
            </Button>
          ))}
        </fieldset>
      )}
      <div className="mt-4 flex items-center gap-3 text-fg-2">
        In
        {project ? (
          <Select
            label="Project"
            value={project.id}
            onChange={setChosen}
            options={(projects?.items ?? []).map(({ id, name }) => ({ value: id, label: name }))}
          />
        ) : (
          <Button size="sm" onClick={onBack}>
            Add a project first
          </Button>
        )}
      </div>
      {noneReady && <WorkerChoice value={worker} onChange={setWorker} />}
    </StepView>
  )
}
