import type { JSX } from 'preact'
import type { ParameterProblem } from '../parameters/stream-parameters.ts'
import { texts } from '../texts.ts'
import { Icon } from './icon.tsx'

/** What stands there instead of an experiment when the link cannot be used. */
export function ProblemPage({ problem }: { readonly problem: ParameterProblem }): JSX.Element {
  return (
    <main class="problem" data-testid="problem" data-code={problem.code}>
      <h1>
        <Icon mood={problem.code === 'expired' ? 'off' : 'bad'} /> {texts.problemTitle}
      </h1>
      <p class="problem-what" role="alert">
        {texts.problem(problem)}
      </p>
      <p>{texts.problemAdvice}</p>
    </main>
  )
}
