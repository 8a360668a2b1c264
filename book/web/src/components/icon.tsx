import type { JSX } from 'preact'

/** What a state means for the viewer; each has a shape of its own, so that colour is not needed to tell them apart. */
export type Mood = 'good' | 'busy' | 'warning' | 'bad' | 'off'

const shapes: Readonly<Record<Mood, JSX.Element>> = {
  good: (
    <>
      <circle cx="8" cy="8" r="7" fill="currentColor" />
      <path d="M4.6 8.3 7 10.7l4.4-5" class="icon-mark" />
    </>
  ),
  busy: (
    <>
      <circle cx="8" cy="8" r="6.2" fill="none" stroke="currentColor" stroke-width="1.6" />
      <path
        d="M8 4.4V8l2.5 1.6"
        fill="none"
        stroke="currentColor"
        stroke-width="1.6"
        stroke-linecap="round"
      />
    </>
  ),
  warning: (
    <>
      <path d="M8 1 15.4 14.6H.6Z" fill="currentColor" />
      <path d="M8 6v4M8 12v.4" class="icon-mark" />
    </>
  ),
  bad: (
    <>
      <path d="M5 1h6l4 4v6l-4 4H5l-4-4V5Z" fill="currentColor" />
      <path d="m5.4 5.4 5.2 5.2m0-5.2-5.2 5.2" class="icon-mark" />
    </>
  ),
  off: (
    <rect
      x="2.5"
      y="2.5"
      width="11"
      height="11"
      rx="1.5"
      fill="none"
      stroke="currentColor"
      stroke-width="1.6"
    />
  ),
}

/** Says nothing to screen readers: words stand beside it. */
export function Icon({ mood }: { readonly mood: Mood }): JSX.Element {
  return (
    <svg class={`icon icon-${mood}`} viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
      {shapes[mood]}
    </svg>
  )
}
