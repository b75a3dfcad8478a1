import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { FolderGit2, Plus } from 'lucide-react'
import { useState } from 'react'
import { call } from '../../app/api.ts'
import { projectsQuery, suggestedProjectsQuery } from '../../app/queries.ts'
import { explain, toast } from '../../app/toasts.ts'
import { Button } from '../../components/button.tsx'
import { Field, Input } from '../../components/field.tsx'

/** Registers a git repository by its path, or by one click on one that is nearby, and says so. What is wrong is said under the field. */
export function AddProjectForm(props: { onAdded: () => void; autoFocus?: boolean }) {
  const [path, setPath] = useState('')
  const client = useQueryClient()
  const { data: nearby } = useQuery(suggestedProjectsQuery())
  const add = useMutation({
    mutationFn: (body: { path: string }) => call('createProject', { body }),
    onMutate: () => client.getQueryData(projectsQuery().queryKey)?.items.map(({ id }) => id),
    onSuccess: async ({ id, name, notes }, _body, known) => {
      setPath('')
      await client.invalidateQueries({ queryKey: ['projects'] })
      if (known?.includes(id)) toast(`${name} is a project already, and stays as it is`)
      else toast(`${name} added`, { tone: 'ok', ...(notes?.[0] ? { detail: notes[0] } : {}) })
      props.onAdded()
    },
  })
  const submit = (text: string) => {
    if (text.trim() !== '') add.mutate({ path: text.trim() })
  }
  return (
    <div className="flex flex-col gap-3">
      <form
        onSubmit={(event) => {
          event.preventDefault()
          submit(path)
        }}
      >
        <Field
          label="Path of the repository"
          hint="On the machine where Dispatch runs. Agents work in copies; nothing is merged that was not approved."
          error={add.error ? explain(add.error) : undefined}
        >
          {(control) => (
            <div className="flex gap-2">
              <Input
                {...control}
                // biome-ignore lint/a11y/noAutofocus: it is the one thing to do here
                autoFocus={props.autoFocus ?? false}
                spellCheck={false}
                autoComplete="off"
                placeholder="/home/you/code/shop"
                className="font-mono text-12"
                value={path}
                onChange={(event) => setPath(event.target.value)}
              />
              <Button
                type="submit"
                tone="primary"
                size="lg"
                icon={Plus}
                busy={add.isPending}
                disabled={path.trim() === ''}
              >
                Add
              </Button>
            </div>
          )}
        </Field>
      </form>
      {nearby && nearby.items.length > 0 && (
        <section aria-labelledby="nearby">
          <h3 id="nearby" className="mb-1 text-12 font-medium text-fg-2">
            Found on this machine
          </h3>
          <ul className="overflow-hidden rounded-md border">
            {nearby.items.slice(0, 6).map((one) => (
              <li key={one.path} className="border-b border-line/60 last:border-b-0">
                <button
                  type="button"
                  disabled={add.isPending}
                  onClick={() => submit(one.path)}
                  className="flex h-9 w-full min-w-0 items-center gap-2 px-2.5 text-left hover:bg-hover touch:h-11"
                >
                  <FolderGit2 size={14} className="shrink-0 text-fg-3" aria-hidden="true" />
                  <bdi className="shrink-0">{one.name}</bdi>
                  <bdi className="min-w-0 flex-1 truncate font-mono text-11 text-fg-3">
                    {one.path}
                  </bdi>
                  <span className="text-12 text-fg-3">Add</span>
                </button>
              </li>
            ))}
          </ul>
        </section>
      )}
    </div>
  )
}
