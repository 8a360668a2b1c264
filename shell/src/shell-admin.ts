import { adminSpecOf } from '@relay/common/admin/admin-config'
import type { AdminTool } from '@relay/common/admin/admin-tool'

/** `deny`, `allow` and `status` of the shell relay. */
export const shellAdmin: AdminTool = {
  spec: adminSpecOf({
    program: 'shell',
    envPrefix: 'SHELL_ADMIN',
    access: 'http://127.0.0.1:3002',
    audienceNames: ['SHELLRELAY_AUDIENCE', 'SHELLRELAY_ACCESSFQDN', 'JUMP_RELAY_AUDIENCE'],
    secretNames: ['SHELLRELAY_SECRET', 'JUMP_RELAY_SECRET'],
  }),
  prefix: 'shell',
  secretName: 'SHELLRELAY_SECRET',
}
