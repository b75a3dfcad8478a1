import { type ComponentType, createElement, type FunctionComponent, lazy, useState } from 'react'

/** A part of the page could not be fetched. Drawn again it is the same fault, until it was told to try `again`. */
export class PartError extends Error {
  readonly again: () => void

  constructor(again: () => void, cause: unknown) {
    super('a part of the page could not be fetched', { cause })
    this.again = again
  }
}

/**
 * A component that is loaded late. Unlike React's own `lazy`, it is drawn at once when it was preloaded: no fallback is
 * shown in between, not even for a moment. Needs a Suspense around it for the case that it was not. Where it cannot be
 * fetched it throws a PartError when it is drawn; preloading it alone is no fault.
 */
export function lazyPart<P extends object>(
  load: () => Promise<ComponentType<P>>,
): FunctionComponent<P> & { preload: () => Promise<void> } {
  let loaded: ComponentType<P> | undefined
  const fetchOnce = () =>
    lazy(async () => {
      try {
        loaded = await load()
      } catch (cause) {
        throw new PartError(again, cause)
      }
      return { default: loaded }
    }) as unknown as ComponentType<P>
  let late = fetchOnce()
  const again = () => {
    late = fetchOnce()
  }
  // biome-ignore lint/correctness/noComponentHookFactories: called once a module, so it is one component
  const Part = (props: P) => {
    // which of the two it is must not change while it is shown, or it would begin anew
    const [Shown] = useState<ComponentType<P>>(() => loaded ?? late)
    return createElement(Shown, props)
  }
  const preload = async () => {
    try {
      loaded ??= await load()
    } catch {
      // it is fetched once more when it is drawn, and that says what is wrong
    }
  }
  return Object.assign(Part, { preload })
}
