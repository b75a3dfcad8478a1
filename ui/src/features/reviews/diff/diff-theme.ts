import { registerCustomCSSVariableTheme } from '@pierre/diffs'

/** Its colours are variables that `.diff-code` in app.css sets from our tokens, for both themes. */
export const DIFF_THEME = 'dispatch'
registerCustomCSSVariableTheme(DIFF_THEME, {})

/**
 * Goes into the shadow root of each file: what variables cannot say. Matches of a search are painted by the browser's own
 * highlights, which change no element.
 */
export const DIFF_CSS = `
  [data-diffs-header] { padding: 0; min-height: 0; }
  slot[name] { width: 100%; }
  [data-code]::-webkit-scrollbar-thumb { background-color: var(--line-strong) !important; }
  ::highlight(diff-find) { background-color: var(--find); color: var(--on-find); }
  ::highlight(diff-find-current) { background-color: var(--find-current); color: var(--on-find); }
`
