import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import type { Goal } from '../../../../contracts/schemas.ts'
import { call } from '../../app/api.ts'
import { toastError } from '../../app/toasts.ts'

const ACTS = {
  pause: { route: 'pauseGoal', failed: 'Pause failed' },
  resume: { route: 'resumeGoal', failed: 'Resume failed' },
  retry: { route: 'retryGoal', failed: 'Retry failed' },
  cancel: { route: 'cancelGoal', failed: 'Cancel failed' },
} as const
type Act = keyof typeof ACTS

export type GoalActs = ReturnType<typeof useGoalActs>

/** What a person does with a goal, from a button, a menu or a key: one at a time, and its failure is told in a toast. */
export function useGoalActs({ id }: Pick<Goal, 'id'>) {
  const [profile, setProfile] = useState<string>()
  const { mutate, mutateAsync, isPending } = useMutation({
    mutationFn: (what: Act) => {
      if (what === 'pause' || what === 'cancel')
        return call(ACTS[what].route, { params: { id }, body: {} })
      const body = profile === undefined ? {} : { profile }
      return call(ACTS[what].route, { params: { id }, body })
    },
    onSuccess: () => setProfile(undefined),
    onError: (error, what) => toastError(ACTS[what].failed, error),
  })
  return {
    act: mutate,
    /** Resolves when it was done, or its failure is told. */
    actAndWait: async (what: Act): Promise<void> => {
      await mutateAsync(what).catch(() => undefined) // told by the toast above
    },
    isPending,
    /** Whose agents it goes on with, when it is not its own. */
    profile,
    setProfile,
  }
}
