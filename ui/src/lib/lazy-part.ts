import { type ComponentType, createElement, lazy, useState } from 'react'

/**
 * A component that is loaded late. Unlike React's own `lazy`, it is drawn at once when it was preloaded: no fallback is
 * shown in between, not even for a moment. Needs a Suspense around it for the case that it was not.
 */
export function lazyPart<P extends object>(
  load: () => Promise<ComponentType<P>>,
): ComponentType<P> & { preload: () => Promise<unknown> } {
  let loaded: ComponentType<P> | undefined
  const preload = async () => {
    loaded = await load()
    return { default: loaded }
  }
  const Late = lazy(preload) as unknown as ComponentType<P>
  // biome-ignore lint/correctness/noComponentHookFactories: called once a module, so it is one component
  const Part = (props: P) => {
    // which of the two it is must not change while it is shown, or it would begin anew
    const [Shown] = useState<ComponentType<P>>(() => loaded ?? Late)
    return createElement(Shown, props)
  }
  return Object.assign(Part, { preload })
}
