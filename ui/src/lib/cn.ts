import { type ClassValue, clsx } from 'clsx'
import { extendTailwindMerge } from 'tailwind-merge'

/** What it would take for colours: our text sizes share their prefix with them, our shadows too. */
const merge = extendTailwindMerge({
  extend: {
    classGroups: {
      'font-size': [{ text: ['11', '12', 'mono', '13', '14', '16', '20'] }],
      shadow: [{ shadow: ['raised', 'overlay'] }],
    },
  },
})

/** Class names, the later of two that contradict each other winning. */
export const cn = (...values: ClassValue[]): string => merge(clsx(values))
