import { navigate } from '../navigation.ts'

/** Opens what a short id names, in the place where such a thing is shown. */
export function goToId(id: string): void {
  switch (id.charAt(0)) {
    case 'G':
      return void navigate({ to: '/goals/$id', params: { id } })
    case 'R':
      return void navigate({ to: '/reviews/$id', params: { id } })
    case 'A':
      return void navigate({ to: '/agents/$id', params: { id } })
    case 'P':
      return void navigate({ to: '/', search: { project: id } })
    case 'S':
      return void navigate({ to: '/agents' }) // suggestions have no page of their own
    default:
      return void navigate({ to: '.', search: { panel: id } as never })
  }
}
