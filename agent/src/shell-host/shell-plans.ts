import { shellHostOptions } from '@relay/common/shell-host/shell-host-options'
import { tokenFile } from '@relay/common/token-source'
import type { AgentConfig } from '../config.ts'
import { NamedPart } from '../named-part.ts'
import type { PartPlan } from '../part-plan.ts'
import { ShellPart, type ShellPartDeps } from './shell-part.ts'

/** The shell host of a configuration, where there is one. */
export function shellPlans({ shell }: AgentConfig, deps: ShellPartDeps): readonly PartPlan[] {
  if (shell.session === '') return []
  const key = 'shell host'
  return [
    {
      key,
      settings: shell,
      make: () =>
        new NamedPart(
          key,
          new ShellPart(shellHostOptions(shell), tokenFile(shell.tokenFile, deps.clock), deps),
        ),
    },
  ]
}
