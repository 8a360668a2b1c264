import { parseShellAccess } from '@relay/common/shell-host/shell-access'
import type { Finding } from '../check-config.ts'
import { checkTokenFile } from '../check-token-file.ts'
import type { AgentConfig } from '../config.ts'

/** What is wrong with the section of the shell host by itself. Pure. */
export function checkShell({ shell }: AgentConfig): readonly Finding[] {
  if (shell.session === '')
    return shell.tokenFile === ''
      ? []
      : [{ pointer: '/shell/session', what: 'it is missing, and there is a tokenFile for it' }]
  const access = parseShellAccess(shell.session)
  return [
    ...(typeof access === 'string' ? [{ pointer: '/shell/session', what: access }] : []),
    ...(shell.tokenFile === ''
      ? [{ pointer: '/shell/tokenFile', what: 'it is missing, and the shell host needs it' }]
      : []),
    ...(shell.hostKeys.deviceKeyFile !== '' && shell.hostKeys.directory === ''
      ? [{ pointer: '/shell/hostKeys/deviceKeyFile', what: 'there are no keys that it could sign' }]
      : []),
  ]
}

/** What will not work as the machine is now. */
export function warnOfShell(
  { shell }: AgentConfig,
  nowMs: number,
  isThere: (path: string) => boolean,
): readonly Finding[] {
  const access = parseShellAccess(shell.session)
  if (shell.session === '' || typeof access === 'string') return []
  const flaw = checkTokenFile(shell.tokenFile, access.id, nowMs)
  const { deviceKeyFile } = shell.hostKeys
  return [
    ...(flaw === undefined ? [] : [{ pointer: '/shell/tokenFile', what: flaw }]),
    ...(deviceKeyFile === '' || isThere(deviceKeyFile)
      ? []
      : [
          {
            pointer: '/shell/hostKeys/deviceKeyFile',
            what: `the device key ${deviceKeyFile} is not there now`,
          },
        ]),
  ]
}
