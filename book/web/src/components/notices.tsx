import type { JSX } from 'preact'
import type { LabSession } from '../lab-session.ts'
import { texts } from '../texts.ts'
import { useStore } from '../use-store.ts'
import { Icon } from './icon.tsx'

/** Things worth knowing that stop nobody; each can be put away. */
export function Notices({ session }: { readonly session: LabSession }): JSX.Element | null {
  const notices = useStore(session.notices)
  if (notices.length === 0) return null
  return (
    <ul class="notices">
      {notices.map((notice) => (
        <li key={notice}>
          <Icon mood="warning" />
          <span>{notice}</span>
          <button
            type="button"
            class="plain"
            aria-label={texts.dismiss}
            title={texts.dismiss}
            onClick={() => session.dismissNotice(notice)}
          >
            ×
          </button>
        </li>
      ))}
    </ul>
  )
}
