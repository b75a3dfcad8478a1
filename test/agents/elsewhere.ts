/** Below the home: what agents keep of their work in other folders, by the agent's name. */
export const ELSEWHERE: Readonly<Record<string, readonly string[]>> = {
  claude: ['.claude/projects/-home-person-other/session.jsonl', '.claude/history.jsonl'],
  codex: [
    '.codex/sessions/2026/11/25/rollout-other.jsonl',
    '.codex/sessions/dispatch-0123456789abcdef/2026/11/25/rollout-other.jsonl',
    '.codex/archived_sessions/rollout-other.jsonl',
    '.codex/history.jsonl',
  ],
  gemini: [
    '.gemini/tmp/other/chats/session-other.jsonl',
    '.gemini/tmp/other/logs.json',
    '.gemini/history/other/one.txt',
    '.gemini/projects.json',
  ],
  acp: ['.claude/projects/-home-person-other/session.jsonl'],
}
