import type { NavigateFn } from '@tanstack/react-router'

let navigateByRouter: NavigateFn | undefined

/** Called once with the router, which itself needs what navigates: this breaks the circle. */
export function connectNavigation(navigate: NavigateFn): void {
  navigateByRouter = navigate
}

/** Goes to a page from outside of components; inside, `<Link>` and `useNavigate` are better. */
export const navigate: NavigateFn = (options) => {
  if (!navigateByRouter) throw new Error('the router is not there yet')
  return navigateByRouter(options)
}
