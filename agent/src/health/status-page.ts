import { createHash } from 'node:crypto'
import { ageText } from './age-text.ts'
import { type HealthPart, shownParts } from './health-part.ts'
import type { Health, Verdict } from './judge-health.ts'
import { partFigures } from './part-figures.ts'
import { pageScript, pageStyle } from './status-page-assets.ts'
import type { StatusReport } from './status-report.ts'

/** How often a browser that runs no script asks for the page anew. */
const refreshSec = 30

/**
 * The status as a page for the network of the laboratory: readable without a script, on a phone, in the dark and by a
 * screen reader. It tells states, counters and what to do; nothing can be changed by it. Of hosts, files and the words
 * of ffmpeg it holds only what the sentence of a fault names. Pure.
 */
export function statusPage(report: StatusReport): string {
  const { name, version, health, upMs, atMs } = report
  const title = name === '' ? 'relay-agent' : name
  const parts = shownParts(report)
  const kinds = [...new Set(parts.map(({ kind }) => kind))]
  const updated = new Date(atMs).toISOString().replace(/\.\d+Z$/, 'Z')
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escaped(title)}: ${escaped(summaryOf(health))}</title>
<link rel="icon" href="data:,">
<noscript><meta http-equiv="refresh" content="${refreshSec}"></noscript>
<style>${pageStyle}</style>
</head>
<body>
<header>
<h1>${escaped(title)}</h1>
<p id="summary" role="status" class="${isWell(health) ? 'good' : 'bad'}">${escaped(summaryOf(health))}</p>
</header>
<main id="state">
<dl class="verdicts">
${questions.map(([key, meaning]) => verdictHtml(key, meaning, health[key])).join('\n')}
</dl>
<div class="kinds">
${kinds.map((kind) => kindHtml(kind, parts, report)).join('\n')}
</div>
${kinds.length === 0 ? '<p class="empty">Nothing is configured.</p>' : ''}
<footer>
<p>relay-agent ${escaped(version)}, up ${escaped(ageText(upMs))}; as of <time datetime="${updated}">${updated.replace('T', ' ')}</time>.</p>
</footer>
</main>
<script>${pageScript}</script>
</body>
</html>
`
}

/**
 * What a browser may do with the page: show it. The style and the script are known by their hashes, so that nothing
 * that a part of the agent says can become one.
 */
export function pagePolicy(): string {
  const hash = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`
  return [
    "default-src 'none'",
    `style-src ${hash(pageStyle)}`,
    `script-src ${hash(pageScript)}`,
    "connect-src 'self'",
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ')
}

const questions = [
  ['live', 'no part is stuck'],
  ['ready', 'cameras and instruments work'],
  ['linked', 'connected to the relay'],
] as const

function isWell({ live, ready, linked }: Health): boolean {
  return live.ok && ready.ok && linked.ok
}

function summaryOf(health: Health): string {
  if (isWell(health)) return 'all well'
  const wrong = questions.filter(([key]) => !health[key].ok).map(([key]) => `not ${key}`)
  return wrong.join(', ')
}

function verdictHtml(question: string, meaning: string, { ok, reasons }: Verdict): string {
  const list = reasons.map(({ sentence }) => `<li>${escaped(sentence)}</li>`).join('')
  return `<div class="${ok ? 'good' : 'bad'}"><dt>${question} <span>${meaning}</span></dt><dd><strong>${ok ? 'yes' : 'no'}</strong>${list === '' ? '' : `<ul>${list}</ul>`}</dd></div>`
}

function kindHtml(kind: string, parts: readonly HealthPart[], report: StatusReport): string {
  const items = parts.filter((part) => part.kind === kind).map((part) => partHtml(part, report))
  return `<section><h2>${escaped(kind)}s</h2><ul class="parts">${items.join('')}</ul></section>`
}

function partHtml(part: HealthPart, { activity, atMs }: StatusReport): string {
  const { name, title, state, works, fault } = part
  const figures = partFigures(
    part,
    activity.find((one) => one.part === title),
  )
  const last =
    fault === undefined
      ? ''
      : `<p class="fault"><code>${escaped(fault.code)}</code> ${escaped(ageText(atMs - fault.atMs))} ago</p>`
  return `<li><h3>${escaped(name)}</h3><p class="state ${works ? 'good' : 'bad'}">${escaped(state)}</p><p>${escaped(unbroken(figures))}</p>${last}</li>`
}

/** Lines break between figures, not within one. */
function unbroken(figures: string): string {
  return figures
    .split(', ')
    .map((figure) => figure.replaceAll(' ', '\u00a0'))
    .join(', ')
}

const entities: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

/** `text` as nothing but text within HTML, attributes in double quotes included. */
export function escaped(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => entities[character] ?? '')
}
