import { QueryClientProvider } from '@tanstack/react-query'
import { RouterProvider } from '@tanstack/react-router'
import { Toaster } from '../components/toaster.tsx'
import { startKeyboard } from './actions/keyboard.ts'
import { connectNavigation } from './navigation.ts'
import { applyTheme } from './preferences.ts'
import { queryClient } from './query-client.ts'
import { router } from './router.tsx'

applyTheme()
connectNavigation(router.navigate)
startKeyboard()

/** The whole page. */
export function App() {
  return (
    <QueryClientProvider client={queryClient}>
      <RouterProvider router={router} />
      <Toaster />
    </QueryClientProvider>
  )
}
