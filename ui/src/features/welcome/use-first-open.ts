import { useQuery } from '@tanstack/react-query'
import { useRouter } from '@tanstack/react-router'
import { useEffect } from 'react'
import { overviewQuery } from '../../app/queries.ts'
import { readWelcome } from './welcome-state.ts'

/** Leads to the welcome where nothing is set up yet, unless it was gone through or skipped in this browser. */
export function useFirstOpen(): void {
  const router = useRouter()
  const { data } = useQuery(overviewQuery())
  const isEmpty = data?.projects.length === 0
  useEffect(() => {
    // who is on the way to another page already, whose code is being loaded, goes there
    const stays = router.latestLocation.pathname === '/'
    if (isEmpty && stays && readWelcome() !== 'over')
      void router.navigate({ to: '/welcome', replace: true })
  }, [isEmpty, router])
}
