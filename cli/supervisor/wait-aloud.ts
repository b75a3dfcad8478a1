const SAY_EVERY_MS = 10_000

/** Does the work, and says every ten seconds what is still waited for and since when. `what`: "Temporal to answer". */
export async function waitAloud<T>(
  what: string,
  say: (line: string) => void,
  work: () => Promise<T>,
): Promise<T> {
  const since = new Date()
  const begun = performance.now()
  const timer = setInterval(() => {
    const seconds = Math.round((performance.now() - begun) / 1000)
    say(
      `still waiting for ${what}, since ${since.toTimeString().slice(0, 8)}: ${seconds} s by now ...`,
    )
  }, SAY_EVERY_MS)
  try {
    return await work()
  } finally {
    clearInterval(timer)
  }
}
