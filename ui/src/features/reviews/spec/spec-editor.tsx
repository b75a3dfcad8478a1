import { ArrowDown, ArrowUp, Plus, Trash2 } from 'lucide-react'
import type { ReactNode } from 'react'
import type { SpecOutput, SpecTask } from '../../../../../contracts/outputs.ts'
import { AdapterSelect } from '../../../components/adapter-select.tsx'
import { Button, IconButton } from '../../../components/button.tsx'
import { Field, Input, Textarea } from '../../../components/field.tsx'
import { Select } from '../../../components/select.tsx'
import { useDraft } from '../../../lib/use-draft.ts'
import { renameTask } from './rename-task.ts'
import type { SpecProblems } from './spec-problems.ts'

interface EditorProps {
  spec: SpecOutput
  problems: SpecProblems
  onChange: (spec: SpecOutput) => void
}

/** The spec as fields. Each change is a draft at once; problems stand at their field. */
export function SpecEditor({ spec, problems, onChange }: EditorProps) {
  const set = (fields: Partial<SpecOutput>) => onChange({ ...spec, ...fields })
  return (
    <div className="flex flex-col gap-6">
      <div className="flex flex-col gap-3">
        <Field label="Title" error={problems.get('title')}>
          {(control) => (
            <Input
              {...control}
              dir="auto"
              value={spec.title}
              onChange={(event) => set({ title: event.target.value })}
            />
          )}
        </Field>
        <Field label="Summary" error={problems.get('summary')}>
          {(control) => (
            <Textarea
              {...control}
              value={spec.summary}
              onChange={(event) => set({ summary: event.target.value })}
            />
          )}
        </Field>
      </div>
      <Items
        {...{
          title: 'Requirements',
          one: 'Requirement',
          prefix: 'REQ',
          list: 'requirements',
          problems,
        }}
        items={spec.requirements}
        onChange={(requirements) => set({ requirements })}
      />
      <Items
        {...{ title: 'Acceptance', one: 'Criterion', prefix: 'AC', list: 'acceptance', problems }}
        items={spec.acceptance}
        onChange={(acceptance) => set({ acceptance })}
      />
      <Tasks tasks={spec.tasks} problems={problems} onChange={(tasks) => set({ tasks })} />
    </div>
  )
}

interface SpecItem {
  id: string
  text: string
}

function Items(props: {
  title: string
  one: string
  prefix: string
  list: 'requirements' | 'acceptance'
  items: readonly SpecItem[]
  problems: SpecProblems
  onChange: (items: SpecItem[]) => void
}) {
  const { items, problems, onChange, list } = props
  const change = (at: number, fields: Partial<SpecItem>) => onChange(changed(items, at, fields))
  return (
    <Group
      title={props.title}
      problem={problems.get(list)}
      add={`Add ${props.one.toLowerCase()}`}
      onAdd={() => onChange([...items, { id: nextId(items, props.prefix), text: '' }])}
    >
      {items.map((item, at) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: ids are what is edited here
        <li key={at} className="flex items-start gap-2">
          <Field
            quiet
            label={`${props.one} ${at + 1} id`}
            error={problems.get(`${list}.${at}.id`)}
            className="w-20 shrink-0"
          >
            {(control) => (
              <Input
                {...control}
                value={item.id}
                onChange={(event) => change(at, { id: event.target.value })}
              />
            )}
          </Field>
          <Field
            quiet
            label={`${props.one} ${item.id}`}
            error={problems.get(`${list}.${at}.text`)}
            className="min-w-0 flex-1"
          >
            {(control) => (
              <Textarea
                {...control}
                rows={1}
                className="min-h-8 py-1.5"
                value={item.text}
                onChange={(event) => change(at, { text: event.target.value })}
              />
            )}
          </Field>
          <RowButtons {...{ items, at, onChange }} name={item.id} />
        </li>
      ))}
    </Group>
  )
}

const ROLES = [
  { value: 'implement', label: 'Implement' },
  { value: 'frontend', label: 'Frontend' },
]

function Tasks(props: {
  tasks: readonly SpecTask[]
  problems: SpecProblems
  onChange: (tasks: SpecTask[]) => void
}) {
  const { tasks, problems, onChange } = props
  const change = (at: number, fields: Partial<SpecTask>) => onChange(changed(tasks, at, fields))
  const problem = (at: number, field: keyof SpecTask) => problems.get(`tasks.${at}.${field}`)
  return (
    <Group
      title="Tasks"
      problem={problems.get('tasks')}
      add="Add task"
      onAdd={() =>
        onChange([
          ...tasks,
          { key: freeKey(tasks), title: '', description: '', role: 'implement', dependsOn: [] },
        ])
      }
    >
      {tasks.map((task, at) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: keys are what is edited here
        <li key={at} className="flex flex-col gap-3 rounded-md border p-3">
          <div className="flex flex-wrap items-start gap-2">
            <Field
              label="Title"
              error={problem(at, 'title')}
              className="min-w-52 flex-1 max-md:basis-full"
            >
              {(control) => (
                <Input
                  {...control}
                  dir="auto"
                  value={task.title}
                  onChange={(event) => change(at, { title: event.target.value })}
                />
              )}
            </Field>
            <KeyField {...{ tasks, at, onChange }} problem={problem(at, 'key')} />
            <Field label="Role">
              {({ id }) => (
                <Select
                  id={id}
                  label={`Role of ${task.key}`}
                  className="h-8 w-28"
                  value={task.role}
                  options={ROLES}
                  onChange={(role) => change(at, { role: role as SpecTask['role'] })}
                />
              )}
            </Field>
            <Field label="Agent">
              {({ id }) => (
                <AdapterSelect
                  id={id}
                  label={`Agent of ${task.key}`}
                  className="h-8 w-32"
                  value={task.agent?.adapter ?? BY_PROFILE}
                  more={[{ value: BY_PROFILE, label: 'As profile' }]}
                  onChange={(adapter) => onChange(withAgent(tasks, at, adapter))}
                />
              )}
            </Field>
            <span className="pt-5">
              <RowButtons
                {...{ items: tasks, at }}
                name={task.key}
                onChange={(next) => onChange(withoutGone(next))}
              />
            </span>
          </div>
          <Field label="Description" error={problem(at, 'description')}>
            {(control) => (
              <Textarea
                {...control}
                value={task.description}
                onChange={(event) => change(at, { description: event.target.value })}
              />
            )}
          </Field>
          {tasks.length > 1 && (
            <fieldset className="flex flex-wrap items-center gap-x-3 gap-y-1 text-12 text-fg-2">
              <legend className="sr-only">What {task.key} needs first</legend>
              <span aria-hidden="true" className="text-fg-3">
                After
              </span>
              {tasks
                .filter((other) => other !== task)
                .map(({ key }) => (
                  <label key={key} className="flex h-6 items-center gap-1.5 font-mono">
                    <input
                      type="checkbox"
                      className="accent-(--accent)"
                      checked={task.dependsOn.includes(key)}
                      onChange={(event) =>
                        change(at, {
                          dependsOn: event.target.checked
                            ? [...task.dependsOn, key]
                            : task.dependsOn.filter((need) => need !== key),
                        })
                      }
                    />
                    {key}
                  </label>
                ))}
            </fieldset>
          )}
        </li>
      ))}
    </Group>
  )
}

/** A task's key, renamed when the field is left: on the way there it may be another task's, and would take what needs that. */
function KeyField(props: {
  tasks: readonly SpecTask[]
  at: number
  problem: string | undefined
  onChange: (tasks: SpecTask[]) => void
}) {
  const { tasks, at, onChange } = props
  const own = tasks[at]?.key ?? ''
  const [text, setText] = useDraft(own)
  const renamed = renameTask(tasks, at, text)
  const save = () => {
    if (renamed && text !== own) onChange(renamed)
  }
  return (
    <Field
      label="Key"
      error={renamed ? props.problem : `Another task has it; this stays ${own}.`}
      className="w-32"
    >
      {(control) => (
        <Input
          {...control}
          className="font-mono text-12"
          value={text}
          onChange={(event) => setText(event.target.value)}
          onBlur={save}
          onKeyDown={(event) => {
            if (event.key === 'Enter') save()
          }}
        />
      )}
    </Field>
  )
}

function Group(props: {
  title: string
  problem: string | undefined
  add: string
  onAdd: () => void
  children: ReactNode
}) {
  return (
    <section aria-label={`Edit ${props.title.toLowerCase()}`}>
      <h3 className="mb-2 text-13 font-medium">{props.title}</h3>
      {props.problem && (
        <p role="alert" className="mb-2 text-12 text-danger">
          {props.problem}
        </p>
      )}
      <ol className="flex flex-col gap-2">{props.children}</ol>
      <Button size="sm" tone="ghost" icon={Plus} className="mt-2" onClick={props.onAdd}>
        {props.add}
      </Button>
    </section>
  )
}

function RowButtons<T>(props: {
  items: readonly T[]
  at: number
  name: string
  onChange: (items: T[]) => void
}) {
  const { items, at, name, onChange } = props
  const move = (to: number) => {
    const next = [...items]
    next.splice(to, 0, ...next.splice(at, 1))
    onChange(next)
  }
  return (
    <span className="flex shrink-0 pt-1">
      <IconButton
        size="sm"
        icon={ArrowUp}
        label={`Move ${name} up`}
        disabled={at === 0}
        onClick={() => move(at - 1)}
      />
      <IconButton
        size="sm"
        icon={ArrowDown}
        label={`Move ${name} down`}
        disabled={at === items.length - 1}
        onClick={() => move(at + 1)}
      />
      <IconButton
        size="sm"
        icon={Trash2}
        label={`Remove ${name}`}
        onClick={() => onChange(items.filter((_, index) => index !== at))}
      />
    </span>
  )
}

const BY_PROFILE = '-'

/** The agent that writes one of the tasks; by profile when none is named. */
function withAgent(tasks: readonly SpecTask[], at: number, adapter: string): SpecTask[] {
  return tasks.map((task, index) => {
    if (index !== at) return task
    const { agent: _before, ...rest } = task
    return adapter === BY_PROFILE ? rest : { ...rest, agent: { adapter } }
  })
}

const changed = <T,>(items: readonly T[], at: number, fields: Partial<T>): T[] =>
  items.map((item, index) => (index === at ? { ...item, ...fields } : item))

/** Nothing can need a task that is not there. */
function withoutGone(tasks: readonly SpecTask[]): SpecTask[] {
  const keys = new Set(tasks.map(({ key }) => key))
  return tasks.map((task) => ({
    ...task,
    dependsOn: task.dependsOn.filter((need) => keys.has(need)),
  }))
}

function nextId(items: readonly SpecItem[], prefix: string): string {
  const used = items.map(({ id }) => Number(/-(\d+)$/.exec(id)?.[1] ?? 0))
  return `${prefix}-${Math.max(0, ...used) + 1}`
}

function freeKey(tasks: readonly SpecTask[]): string {
  const keys = new Set(tasks.map(({ key }) => key))
  let number = tasks.length + 1
  while (keys.has(`task-${number}`)) number += 1
  return `task-${number}`
}
