import { expect, test, vi } from 'vitest'
import { supervise } from './supervise.ts'

/** A service whose end the test decides. */
function fakeService(pid: number) {
  let end: (reason: string) => void = () => undefined
  const exited = new Promise<string>((resolve) => {
    end = resolve
  })
  return { pid, exited, end, stop: async () => end('it was asked to') }
}

test('a service that keeps ending is tried quickly five times, then slowly, and says so', async () => {
  const lines: string[] = []
  const first = fakeService(1)
  let starts = 0
  let slow: () => void = () => undefined
  const isSlow = new Promise<void>((resolve) => {
    slow = resolve
  })
  const supervised = await supervise({
    name: 'worker',
    start: async () => {
      starts += 1
      if (starts === 1) return first
      throw new Error('no memory')
    },
    onStarted: () => undefined,
    onEnded: () => undefined,
    say: (line) => {
      lines.push(line)
      if (line.includes('trying every')) slow()
    },
    backoffMs: () => 1,
  })
  first.end('it exited with 1')
  await isSlow
  expect(starts).toBe(6)
  expect(lines.at(-1)).toBe('worker ended 5 times in a minute (no memory); trying every 30 s')
  expect(supervised.state()).toMatchObject({ status: 'restarting', reason: 'no memory' })
  await supervised.stop()
  expect(supervised.state()).toMatchObject({ status: 'stopped' })
})

test('a clock that is set back makes no service that ends now and then a failing one', async () => {
  let minutes = 0
  const clocks = [
    vi.spyOn(performance, 'now').mockImplementation(() => ++minutes * 60_000),
    vi.spyOn(Date, 'now').mockImplementation(() => -minutes * 60_000),
  ]
  const lines: string[] = []
  let starts = 0
  let last: () => void = () => undefined
  const isLast = new Promise<void>((resolve) => {
    last = resolve
  })
  const supervised = await supervise({
    name: 'worker',
    start: async () => {
      starts += 1
      const service = fakeService(starts)
      if (starts < 9) service.end('it exited with 1')
      else last()
      return service
    },
    onStarted: () => undefined,
    onEnded: () => undefined,
    say: (line) => lines.push(line),
    backoffMs: () => 1,
    slowMs: 1,
  })
  await isLast
  for (const clock of clocks) clock.mockRestore()
  await supervised.stop()
  expect(lines.filter((line) => line.includes('trying every'))).toEqual([])
})

test('the first start throws its reason, and a wanted stop is not a death', async () => {
  const say = () => {
    throw new Error('nothing to say')
  }
  const failing = { name: 'api', onStarted: () => undefined, onEnded: () => undefined, say }
  await expect(
    supervise({ ...failing, start: () => Promise.reject(new Error('port')) }),
  ).rejects.toThrow('port')
  const service = await supervise({ ...failing, start: async () => fakeService(1) })
  await service.stop()
  expect(service.state().status).toBe('stopped')
})

test('a stop in the middle of a restart ends what that restart brings', async () => {
  const first = fakeService(1)
  const second = fakeService(2)
  let finishStart: () => void = () => undefined
  let starting: () => void = () => undefined
  const isStarting = new Promise<void>((resolve) => {
    starting = resolve
  })
  const starts = [
    async () => first,
    () =>
      new Promise<typeof second>((resolve) => {
        finishStart = () => resolve(second)
        starting()
      }),
  ]
  const service = await supervise({
    name: 'worker',
    start: () => (starts.shift() as () => Promise<typeof first>)(),
    onStarted: () => undefined,
    onEnded: () => undefined,
    say: () => undefined,
    backoffMs: () => 1,
  })
  first.end('it was ended by SIGKILL')
  await isStarting
  const stopped = service.stop()
  finishStart()
  await stopped
  expect(await second.exited).toBe('it was asked to')
})

test('a stop does not wait for a restart that takes long, and says nothing of its failure', async () => {
  const first = fakeService(1)
  const said: string[] = []
  let starting: () => void = () => undefined
  const isStarting = new Promise<void>((resolve) => {
    starting = resolve
  })
  const starts = [
    async () => first,
    (stopping: AbortSignal) =>
      new Promise<typeof first>((_, reject) => {
        stopping.addEventListener('abort', () => reject(stopping.reason))
        starting()
      }),
  ]
  const service = await supervise({
    ...{ name: 'temporal', onStarted: () => undefined, onEnded: () => undefined },
    start: (stopping) => (starts.shift() as (typeof starts)[number])(stopping),
    say: (line) => said.push(line),
    backoffMs: () => 1,
  })
  first.end('it was ended by SIGKILL')
  await isStarting
  await service.stop()
  expect(service.state().status).toBe('stopped')
  expect(said).toEqual(['temporal ended (it was ended by SIGKILL); starting it again'])
})

test('a held service stays down until it is let go, and a stop does not wait for that', async () => {
  const services = [fakeService(1), fakeService(2), fakeService(3)]
  let starts = 0
  let told = 0
  let came: () => void = () => undefined
  const isBack = new Promise<void>((resolve) => {
    came = resolve
  })
  const service = await supervise({
    name: 'worker',
    start: async () => services[starts++] as ReturnType<typeof fakeService>,
    onStarted: ({ pid }) => {
      if (pid === 2) came()
    },
    onEnded: () => (told += 1),
    say: () => undefined,
    backoffMs: () => 0,
  })
  const release = service.hold()
  services[0]?.end('it was ended by SIGKILL')
  await new Promise((resolve) => setImmediate(resolve))
  expect(service.state()).toMatchObject({ status: 'restarting' })
  expect({ starts, told }).toEqual({ starts: 1, told: 1 })
  release()
  await isBack
  service.hold()
  services[1]?.end('it was ended by SIGKILL')
  await service.stop()
  expect(starts).toBe(2)
})

test('however often it is started again, nothing of the starts before is kept', async () => {
  const warnings: Error[] = []
  const collect = (warning: Error) => warnings.push(warning)
  process.on('warning', collect)
  let current = fakeService(0)
  let wake: () => void = () => undefined
  const supervised = await supervise({
    name: 'temporal',
    start: async (signal) => {
      signal.addEventListener('abort', () => undefined)
      current = fakeService(current.pid + 1)
      return current
    },
    onStarted: () => wake(),
    onEnded: () => undefined,
    say: () => undefined,
    backoffMs: () => 1,
    slowMs: 1,
  })
  for (let starts = 1; starts < 15; starts++) {
    const again = new Promise<void>((resolve) => {
      wake = resolve
    })
    current.end('killed')
    await again
  }
  await supervised.stop()
  process.off('warning', collect)
  expect(warnings).toEqual([])
})
