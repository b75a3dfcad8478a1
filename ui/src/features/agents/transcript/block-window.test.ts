import { expect, test } from 'vitest'
import { extendDown, extendUp, windowAround, windowAtEnd } from './block-window.ts'

const END = Number.POSITIVE_INFINITY

test('the end is followed in steps, whatever came before it', () => {
  expect(windowAtEnd({ head: 0, appended: 600 })).toEqual({ from: 0, to: END })
  expect(windowAtEnd({ head: 40_000, appended: 600 })).toEqual({ from: -500, to: END })
  expect(windowAtEnd({ head: 0, appended: 10_001 })).toEqual(
    windowAtEnd({ head: 0, appended: 10_400 }),
  )
})

test('it grows upwards to the first block, and lets go of the far end', () => {
  const extent = { head: 5_000, appended: 600 }
  let window = windowAtEnd(extent)
  for (let n = 0; n < 4; n += 1) window = extendUp(window, extent)
  expect(window).toEqual({ from: -2_500, to: 500 })
  for (let n = 0; n < 9; n += 1) window = extendUp(window, extent)
  expect(window).toEqual({ from: -5_000, to: -2_000 })
  expect(extendUp(window, extent)).toBe(window)
})

test('it grows downwards until it follows the end again', () => {
  const extent = { head: 5_000, appended: 600 }
  let window = windowAround(-5_000, extent)
  expect(window).toEqual({ from: -5_000, to: -4_500 })
  for (let n = 0; n < 12; n += 1) window = extendDown(window, extent)
  expect(window.to).toBe(END)
  expect(600 - window.from).toBeLessThanOrEqual(3_000)
  expect(extendDown(window, extent)).toBe(window)
})

test('around a place near the end it follows the end', () => {
  expect(windowAround(580, { head: 0, appended: 600 })).toEqual({ from: 80, to: END })
})
