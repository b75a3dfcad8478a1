import { useQuery } from '@tanstack/react-query'
import { AUTO } from '../../../contracts/agent.ts'
import { adaptersQuery } from '../app/queries.ts'
import { Select } from './select.tsx'

/** A choice among the agents of the machine. `more`: choices before them; an agent that is not there any more stays shown. */
export function AdapterSelect(props: {
  id?: string
  label: string
  value: string | undefined
  placeholder?: string
  /** Whether Dispatch may choose. */
  auto?: boolean
  more?: readonly { value: string; label: string; detail?: string }[]
  className?: string
  onChange: (adapter: string) => void
}) {
  const { data } = useQuery(adaptersQuery())
  const agents = (data?.items ?? []).map(({ adapter, title, found }) => ({
    ...{ value: adapter, label: title },
    ...(found ? {} : { detail: 'not found' }),
  }))
  const auto = { value: AUTO, label: 'Auto', detail: 'what fits and is there' }
  const known = [...(props.more ?? []), ...(props.auto ? [auto] : []), ...agents]
  const { value } = props
  const missing = value !== undefined && !known.some((one) => one.value === value)
  return (
    <Select
      {...(props.id === undefined ? {} : { id: props.id })}
      {...(props.className === undefined ? {} : { className: props.className })}
      {...(props.placeholder === undefined ? {} : { placeholder: props.placeholder })}
      label={props.label}
      value={value}
      onChange={props.onChange}
      options={missing ? [...known, { value, label: value, detail: 'not found' }] : known}
    />
  )
}
