/** Colours have a contrast of at least 4.5 on their ground in both modes; no state is told by colour alone. */
export const pageStyle = `
:root { color-scheme: light dark; --ground: #f6f7f8; --card: #fff; --ink: #1b1f24; --faint: #57606a; --line: #d5dae0;
  --good: #116329; --good-ground: #dcf5e3; --bad: #a40e26; --bad-ground: #ffe3e3; }
@media (prefers-color-scheme: dark) { :root { --ground: #14171a; --card: #1d2126; --ink: #e8ebee; --faint: #a3adb8;
  --line: #373e47; --good: #7ee2a0; --good-ground: #14351f; --bad: #ffaba8; --bad-ground: #48191c; } }
* { box-sizing: border-box; margin: 0; }
body { background: var(--ground); color: var(--ink); font: 1rem/1.5 system-ui, sans-serif; padding: 1.25rem;
  max-width: 62rem; margin: 0 auto; overflow-wrap: anywhere; }
header { display: flex; flex-wrap: wrap; gap: .5rem 1rem; align-items: center; margin-bottom: 1.25rem; }
h1 { font-size: 1.5rem; line-height: 1.2; }
h2 { font-size: 1.125rem; margin: 0 0 .5rem; }
.kinds { display: grid; gap: 1.75rem .75rem; margin-top: 1.75rem; align-items: start;
  grid-template-columns: repeat(auto-fit, minmax(min(100%, 17rem), 1fr)); }
.empty { margin-top: 1.75rem; }
h2::first-letter { text-transform: uppercase; }
h3 { font-size: 1rem; }
#summary, .state { border-radius: 1rem; padding: .1rem .75rem; font-weight: 600; }
.state { font-size: .875rem; justify-self: end; }
#summary.good, .state.good { background: var(--good-ground); color: var(--good); }
#summary.bad, .state.bad { background: var(--bad-ground); color: var(--bad); }
.verdicts { display: grid; gap: .75rem; grid-template-columns: repeat(auto-fit, minmax(16rem, 1fr)); }
.verdicts div, .parts li { background: var(--card); border: 1px solid var(--line); border-radius: .5rem;
  padding: .75rem 1rem; }
.verdicts .good { border-left: .3rem solid var(--good); }
.verdicts .bad { border-left: .3rem solid var(--bad); }
.verdicts dt { font-weight: 600; }
.verdicts dt::first-letter { text-transform: uppercase; }
.verdicts dt span { display: block; font-weight: 400; font-size: .875rem; color: var(--faint); }
.verdicts dd { margin-top: .25rem; }
.verdicts dd ul { padding-left: 1.1rem; margin-top: .25rem; }
.verdicts dd li { margin-top: .25rem; }
.verdicts .good strong { color: var(--good); }
.verdicts .bad strong { color: var(--bad); }
.parts { list-style: none; padding: 0; display: grid; gap: .75rem; }
.parts li { display: grid; grid-template-columns: 1fr auto; gap: .25rem .75rem; align-content: start; }
.parts li p:not(.state) { grid-column: 1 / -1; font-size: .875rem; color: var(--faint); }
.parts .fault code { font: .8125rem ui-monospace, monospace; color: var(--bad); }
footer { margin-top: 2rem; font-size: .875rem; color: var(--faint); }
footer .stale { color: var(--bad); font-weight: 600; }
`

/**
 * Keeps the page fresh without a jump of scroll or focus: only what changed is exchanged, and only the summary, a live
 * region, is read out. Without it the page is the same, and asks for itself every half minute.
 */
export const pageScript = `
const everyMs = 3000
const swap = (id, next) => {
  const now = document.getElementById(id)
  if (now.innerHTML !== next.innerHTML) now.innerHTML = next.innerHTML
  now.className = next.className
}
const refresh = async () => {
  if (!document.hidden) {
    try {
      const answer = await fetch('/', { cache: 'no-store', signal: AbortSignal.timeout(5000) })
      if (!answer.ok) throw new Error()
      const page = new DOMParser().parseFromString(await answer.text(), 'text/html')
      document.title = page.title
      for (const id of ['summary', 'state']) swap(id, page.getElementById(id))
    } catch {
      const footer = document.querySelector('footer p')
      footer.className = 'stale'
      document.title = 'no answer'
      const summary = document.getElementById('summary')
      summary.className = 'bad'
      if (summary.textContent !== 'no answer, this is old') summary.textContent = 'no answer, this is old'
    }
  }
  setTimeout(refresh, everyMs)
}
setTimeout(refresh, everyMs)
`
