import { useQuery } from '@tanstack/react-query'
import { useNavigate } from '@tanstack/react-router'
import { useEffect } from 'react'
import { overviewQuery } from '../../app/queries.ts'
import { readWelcome } from './welcome-state.ts'

/** Leads to the welcome where nothing is set up yet, unless it was gone through or skipped in this browser. */
export function useFirstOpen(): void {
  const navigate = useNavigate()
  const { data } = useQuery(overviewQuery())
  const isEmpty = data?.projects.length === 0
  useEffect(() => {
    if (isEmpty && readWelcome() !== 'over') void navigate({ to: '/welcome', replace: true })
  }, [isEmpty, navigate])
}
