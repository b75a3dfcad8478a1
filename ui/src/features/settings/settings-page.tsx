import { getRouteApi, Link } from '@tanstack/react-router'
import { Search } from 'lucide-react'
import { type ComponentType, useRef, useState } from 'react'
import { useAction } from '../../app/actions/registry.ts'
import { Input } from '../../components/field.tsx'
import { PageHeader } from '../../components/page-header.tsx'
import { EmptyState } from '../../components/states.tsx'
import { AdapterList } from './adapter-list.tsx'
import { ProfilesSection } from './profiles-section.tsx'
import { ProjectsSection } from './projects-section.tsx'
import { SECTIONS, type Section, type SectionKey } from './sections.ts'
import { SETTING_ITEMS, type SettingItem } from './setting-items.tsx'

const route = getRouteApi('/settings/$section')

const LISTS: Partial<Record<SectionKey, ComponentType>> = {
  agents: AdapterList,
  profiles: ProfilesSection,
  projects: ProjectsSection,
}

/** What can be set: sections at the left, what is searched for over all of them. */
export function SettingsPage() {
  const { section: wanted } = route.useParams()
  const [text, setText] = useState('')
  const input = useRef<HTMLInputElement>(null)
  useAction({
    id: 'settings.search',
    title: 'Search settings',
    scope: 'Settings',
    keys: '/',
    icon: Search,
    run: () => input.current?.focus(),
  })
  const section = SECTIONS.find(({ key }) => key === wanted) ?? SECTIONS[0]
  return (
    <>
      <PageHeader crumbs={[{ label: 'Settings' }]} />
      <div className="flex min-h-0 flex-1 max-md:flex-col">
        <div className="flex w-[208px] shrink-0 flex-col gap-2 overflow-y-auto border-r p-3 max-md:w-auto max-md:border-r-0 max-md:border-b">
          <div className="relative">
            <Search
              size={13}
              className="pointer-events-none absolute top-1/2 left-2 -translate-y-1/2 text-fg-3"
              aria-hidden="true"
            />
            <Input
              ref={input}
              type="search"
              aria-label="Search settings"
              placeholder="Search"
              value={text}
              onChange={(event) => setText(event.target.value)}
              onKeyDown={(event) => {
                if (event.key !== 'Escape') return
                setText('')
                event.currentTarget.blur()
              }}
              className="h-7 pl-7"
            />
          </div>
          <nav
            aria-label="Sections"
            className="flex flex-col gap-px max-md:-mx-1 max-md:flex-row max-md:flex-wrap"
          >
            {SECTIONS.map(({ key, title, icon: Icon }) => (
              <Link
                key={key}
                to="/settings/$section"
                params={{ section: key }}
                onClick={() => setText('')}
                className="flex h-7 shrink-0 items-center gap-2 rounded-md px-2 text-fg-2 hover:bg-hover hover:text-fg data-[status=active]:bg-active data-[status=active]:font-medium data-[status=active]:text-fg touch:h-9"
              >
                <Icon size={14} strokeWidth={1.75} aria-hidden="true" />
                {title}
              </Link>
            ))}
          </nav>
        </div>
        <div className="min-h-0 min-w-0 flex-1 overflow-y-auto">
          <div className="mx-auto max-w-[720px] pb-10">
            {text.trim() === '' ? (
              section && <SectionView section={section} />
            ) : (
              <Found text={text} onLeave={() => setText('')} />
            )}
          </div>
        </div>
      </div>
    </>
  )
}

function SectionView({ section }: { section: Section }) {
  const List = LISTS[section.key]
  return (
    <section aria-labelledby="section">
      <div className="border-b px-4 pt-6 pb-3">
        <h2 id="section" className="text-16 font-semibold">
          {section.title}
        </h2>
        <p className="text-fg-2">{section.detail}</p>
      </div>
      {List && <List />}
      {SETTING_ITEMS.filter((item) => item.section === section.key).map((item) => (
        <item.Row key={item.id} item={item} />
      ))}
    </section>
  )
}

/** All settings that have these words, under their sections. */
function Found({ text, onLeave }: { text: string; onLeave: () => void }) {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean)
  const has = (one: { title: string; detail: string; keywords: string }) => {
    const all = `${one.title} ${one.detail} ${one.keywords}`.toLowerCase()
    return words.every((word) => all.includes(word))
  }
  const found = SECTIONS.map((section) => ({
    section,
    items: SETTING_ITEMS.filter((item) => item.section === section.key && has(item)),
    whole: LISTS[section.key] !== undefined && has(section),
  })).filter(({ items, whole }) => whole || items.length > 0)
  if (found.length === 0)
    return (
      <EmptyState
        icon={Search}
        title="No setting has these words"
        detail="Another word may find it."
      />
    )
  return found.map(({ section, items, whole }) => (
    <section key={section.key} aria-label={section.title} className="pt-4">
      <h2 className="px-4 pb-1 text-12 font-medium text-fg-3">{section.title}</h2>
      {items.map((item: SettingItem) => (
        <item.Row key={item.id} item={item} />
      ))}
      {whole && (
        <Link
          to="/settings/$section"
          params={{ section: section.key }}
          onClick={onLeave}
          className="block border-b border-line/60 px-4 py-3 hover:bg-hover"
        >
          <span className="font-medium">{section.title}</span>
          <span className="block text-12 text-fg-2">{section.detail}</span>
        </Link>
      )}
    </section>
  ))
}
