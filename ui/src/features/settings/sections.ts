import {
  Bot,
  CircleDot,
  FolderGit2,
  Gauge,
  type LucideIcon,
  SlidersHorizontal,
  Workflow,
} from 'lucide-react'

export interface Section {
  key: SectionKey
  title: string
  /** What it is about, in a line. */
  detail: string
  icon: LucideIcon
  /** More words that find it. */
  keywords: string
}

export const SECTION_KEYS = ['general', 'agents', 'profiles', 'projects', 'goals', 'pool'] as const
export type SectionKey = (typeof SECTION_KEYS)[number]

export const SECTIONS: readonly Section[] = [
  {
    ...{ key: 'general', title: 'General', icon: SlidersHorizontal, keywords: '' },
    detail: 'Your name, and how this browser shows Dispatch.',
  },
  {
    ...{ key: 'agents', title: 'Agents', icon: Bot },
    detail: 'The coding agents on the machine where Dispatch runs.',
    keywords: 'claude codex gemini adapter install login scan',
  },
  {
    ...{ key: 'profiles', title: 'Profiles', icon: Workflow },
    detail: 'Which agent and model works in each stage. Goals at work keep what they began with.',
    keywords: 'stage adapter model pipeline default',
  },
  {
    ...{ key: 'projects', title: 'Projects', icon: FolderGit2 },
    detail: 'The git repositories that goals work on.',
    keywords: 'repository path trust checks tests lint build branch remove add',
  },
  {
    ...{ key: 'goals', title: 'Goals', icon: CircleDot, keywords: '' },
    detail: 'How far goals go by themselves. Goals at work keep what they began with.',
  },
  {
    ...{ key: 'pool', title: 'Pool', icon: Gauge, keywords: '' },
    detail: 'How many agents work at once.',
  },
]
