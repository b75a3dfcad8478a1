/** What a person's text asks for; decides which agent fits (Auto Model). */
export const INTENTS = ['research', 'code', 'design', 'audit'] as const
export type Intent = (typeof INTENTS)[number]

/** The kind of an intent, and the words that gave it away (empty: nothing did, and it counts as code). */
export interface IntentReading {
  intent: Intent
  because: readonly string[]
}

type Cue = readonly [pattern: RegExp, weight: number]

/** Weights: 1 a hint, 2 usual, 3 hardly ever means anything else. */
const CUES: Readonly<Record<Intent, readonly Cue[]>> = {
  research: [
    [/\b(compar(e|es|ing|ison)|alternatives?|trade-?offs?|pros and cons|versus|vs)\b/, 3],
    [/\b(research|survey|investigate|summari[sz]e|overview|prior art|state of the art)\b/, 3],
    [/\b(explain|tell me|understand|recommend|evaluate|weigh|estimate|look up|look into)\b/, 2],
    [/\b(options for|best practices|difference between|documentation of|examples of|papers?)\b/, 2],
    [/\b(should we|which one|why|what|how do|how does|how big)\b/, 1],
    [/^(which|why|what|how|where|who|should|do we)\b|\?\s*$/, 1],
    [/^(find|look|list|name|check whether|dig|trace|help me decide|give me)\b/, 1],
    [/\b(decide between|the cause of|out why|learn about)\b/, 2],
  ],
  code: [
    [/\b(implement|refactor|migrat(e|ion)|codemod|upgrade|bump|port the|rename|dedup\w*)\b/, 3],
    [/\b(fix|mend|bug|crash|stack ?trace|exception|\w+error:)/, 2],
    [/\b(unit tests?|integration tests?|flaky|cover)\b/, 2],
    [/^(add|write|build|create|make|let|allow|handle|support|replace|remove|move|split)\b/, 1],
    [/\b(users? should|lets? (users|admins|people)|backfill|prevent it)\b/, 2],
    [/^(convert|extract|introduce|generate|parse|return|store|send|stream|batch|cache)\b/, 2],
    [/\b(endpoint|api|cli|database|query|queue|worker|webhooks?|server|index|sql|parser)\b/, 1],
  ],
  design: [
    [/\b(re)?design\b|\b(wireframe|mock-?up|figma|prototype|restyle|ui|ux|css|tailwind)\b/, 3],
    [/\b(layout|responsive|typography|palette|colou?rs?|contrast|spacing|padding|shadow)\b/, 3],
    [/\b(landing page|hero|navbar|sidebar|modal|tooltip|dropdown|carousel|toast|skeleton)\b/, 3],
    [/\b(component|button|icons?|avatars?|animat\w+|hover|theme|dark mode|frontend|kanban)\b/, 2],
    [/\b(spinner|shimmer|breadcrumbs?|footer|header|empty state|progress bar|transitions?)\b/, 2],
    [/\b(borders?|corners?|rows?|columns?|forms?|fields?|dialogs?|cards?|list view|toggle)\b/, 1],
    [/\b(screens?|page|looks?|styles?|styled|polish|mobile|phones?|accessible|feels?)\b/, 1],
    [/\b(clumsy|smooth(er)?|nicer|crowded|dense[r]?|pretty|beautiful|ugly)\b/, 2],
  ],
  audit: [
    [/\b(audit|owasp|vulnerabilit\w+|cves?|pen ?test|threat model|attacker?s?|exploit\w*)\b/, 4],
    [/\b(security|xss|csrf|ssrf|idor|injections?|path traversal|privilege|redos)\b/, 3],
    [/\b(secrets|leak|bypass|unsafe|malicious|suspicious|tampering|hard-?coded)\b/, 2],
    [/\b(tenant|permissions?|access control|compliance|encryption|harden\w*|risks?)\b/, 2],
    [/\b(jwt|httponly|samesite|password|two-factor|tokens?|cookies?|encrypted|hashed)\b/, 1],
    [/\b(exposed|exposure|abuse|attack|race conditions?|pollution|eval|sandbox(ed)?|safe)\b/, 2],
    [/\b(user input|other(s|'s)|guess(ing)?|impersonat\w+|invalidate|unauthori[sz]ed)\b/, 1],
    [/^(check|verify|review|assess|inspect|examine|scan|hunt|ensure|prove)\b/, 2],
  ],
}

/**
 * Reads the intent of a text by weighted cues. Pure and quick (under a millisecond for 10,000 characters: only the first 2,000 count,
 * since people say first what they want). A tie goes to the one that comes first in audit, design, research, code.
 */
export function readIntent(text: string): IntentReading {
  const said = text.slice(0, 2000).toLowerCase().trim()
  const scores = INTENTS.map((intent) => ({ intent, ...score(said, CUES[intent]) }))
  const order: readonly Intent[] = ['audit', 'design', 'research', 'code']
  scores.sort((a, b) => b.total - a.total || order.indexOf(a.intent) - order.indexOf(b.intent))
  const best = scores[0]
  if (!best || best.total === 0) return { intent: 'code', because: [] }
  return { intent: best.intent, because: best.because }
}

function score(said: string, cues: readonly Cue[]): { total: number; because: string[] } {
  const because: string[] = []
  let total = 0
  for (const [pattern, weight] of cues) {
    const found = pattern.exec(said)?.[0]
    if (found === undefined) continue
    total += weight
    because.push(found.trim())
  }
  return { total, because }
}
