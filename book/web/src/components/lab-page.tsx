import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import { LabSession } from '../lab-session.ts'
import { type LabParameters, type LinkParts, readParameters } from '../parameters/stream-parameters.ts'
import { useStore } from '../use-store.ts'
import { Announcer } from './announcer.tsx'
import { ChartPanel } from './chart-panel.tsx'
import { ControlPanel } from './control-panel.tsx'
import { Notices } from './notices.tsx'
import { ProblemPage } from './problem-page.tsx'
import { SendBox } from './send-box.tsx'
import { TopBar } from './top-bar.tsx'
import { VideoPanel } from './video-panel.tsx'

/** The lab page for one link of a booking page; another link needs another `key`. */
export function LabPage({ parts }: { readonly parts: LinkParts }): JSX.Element {
  const [read] = useState(() => readParameters(parts, Date.now()))
  if (!read.ok) return <ProblemPage problem={read.problem} />
  return <Lab parameters={read.parameters} />
}

function Lab({ parameters }: { readonly parameters: LabParameters }): JSX.Element {
  const [session] = useState(() => new LabSession(parameters))
  const instrument = useStore(session.instrument)
  useEffect(() => {
    const left = new AbortController()
    void session.run(left.signal)
    return () => left.abort()
  }, [session])
  return (
    <>
      <TopBar session={session} instrument={instrument} />
      <Notices session={session} />
      <main class="panels">
        <VideoPanel session={session} />
        <ControlPanel session={session} instrument={instrument} />
        <ChartPanel session={session} instrument={instrument} />
        {instrument !== undefined && <SendBox session={session} instrument={instrument} />}
      </main>
      <Announcer session={session} instrument={instrument} />
    </>
  )
}
