import {
  LEDGER_GROUPS,
  LEDGER_ORDERS,
  type LedgerGroup,
  type LedgerOrder,
} from '../../../../contracts/ledger.ts'

/** How far back the ledger may look, in days; 0 is all of it. */
export const SPANS = [7, 30, 90, 0] as const
export const DEFAULT_SPAN = 30

/** What of the ledger is shown, in the address; what is absent is the default. */
export interface LedgerSearch {
  by?: LedgerGroup
  days?: (typeof SPANS)[number]
  show?: LedgerOrder
  /** Short id of a project. */
  project?: string
}

/** What is not understood is left out. */
export function readLedgerSearch(search: Record<string, unknown>): LedgerSearch {
  const by = LEDGER_GROUPS.find((one) => one === search['by'])
  const days = SPANS.find((one) => one === Number(search['days'] ?? DEFAULT_SPAN))
  const show = LEDGER_ORDERS.find((one) => one === search['show'])
  const project = search['project']
  return {
    ...(by && by !== 'goal' && { by }),
    ...(days !== undefined && days !== DEFAULT_SPAN && { days }),
    ...(show && show !== 'cost' && { show }),
    ...(typeof project === 'string' && /^P-\d+$/.test(project) && { project }),
  }
}
