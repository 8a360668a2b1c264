import { render } from 'preact'
import { LabPage } from './components/lab-page.tsx'
import { takeLinkParts, watchForNewLink } from './lab-address.ts'
import type { LinkParts } from './parameters/stream-parameters.ts'

const place = document.querySelector('#lab')
if (place !== null) {
  let links = 0
  const show = (parts: LinkParts): void => {
    links += 1
    render(<LabPage key={links} parts={parts} />, place)
  }
  show(takeLinkParts())
  watchForNewLink(show)
}
