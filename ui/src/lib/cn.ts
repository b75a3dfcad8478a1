import { type ClassValue, clsx } from 'clsx'
import { extendTailwindMerge } from 'tailwind-merge'

/** Our text sizes and colours share the prefix `text-`; without this, one would throw the other out. */
const merge = extendTailwindMerge({
  extend: {
    classGroups: { 'font-size': [{ text: ['11', '12', 'mono', '13', '14', '16', '20'] }] },
  },
})

/** Class names, the later of two that contradict each other winning. */
export const cn = (...values: ClassValue[]): string => merge(clsx(values))
