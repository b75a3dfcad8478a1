import type { Review } from '../../../../../contracts/schemas.ts'
import { Badge } from '../../../components/badge.tsx'
import { Markdown } from '../../../components/markdown.tsx'

type Finding = Review['findings'][number]
const SEVERITIES = [
  'critical',
  'high',
  'medium',
  'low',
  'info',
] as const satisfies readonly Finding['severity'][]
const TONES = {
  critical: 'danger',
  high: 'danger',
  medium: 'warn',
  low: 'neutral',
  info: 'neutral',
} as const satisfies Record<Finding['severity'], string>

/** What the audit found, the worst first. */
export function Findings(props: { findings: readonly Finding[]; onGo: (file: string) => void }) {
  const sorted = SEVERITIES.flatMap((severity) =>
    props.findings.filter((one) => one.severity === severity),
  )
  return (
    <ul className="flex flex-col gap-3">
      {sorted.map((finding) => (
        <li key={`${finding.title}${finding.file}`} className="rounded-md border px-3 py-2">
          <p className="flex flex-wrap items-center gap-2">
            <Badge tone={TONES[finding.severity]}>{finding.severity}</Badge>
            <bdi className="min-w-0 font-medium">{finding.title}</bdi>
            {finding.file && (
              <button
                type="button"
                onClick={() => finding.file && props.onGo(finding.file)}
                className="max-w-full truncate rounded-sm font-mono text-12 text-accent-fg hover:underline"
              >
                <bdi>{finding.file}</bdi>
              </button>
            )}
          </p>
          <Markdown text={finding.detail} className="mt-1 text-fg-2" />
        </li>
      ))}
    </ul>
  )
}
