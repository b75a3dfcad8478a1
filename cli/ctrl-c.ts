/** Nobody presses twice in this time: one Ctrl-C reaches a process by its terminal, and passed on by npm and `npm start` again. */
const ONE_PRESS_MS = 300

/** A listener for SIGINT: the first `asks`, whoever presses again `ends` it at once. `now` in milliseconds. */
export function ctrlC(
  { asks, ends }: { asks: () => void; ends: () => void },
  now: () => number = () => performance.now(),
): () => void {
  let first: number | undefined
  return () => {
    if (first === undefined) {
      first = now()
      asks()
    } else if (now() - first > ONE_PRESS_MS) ends()
  }
}
