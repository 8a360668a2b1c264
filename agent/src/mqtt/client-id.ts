import { createHash, randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { hostname } from 'node:os'

export interface ClientFacts {
  readonly machineId: string
  readonly hostname: string
  readonly instrument: string
  readonly broker: string
}

/**
 * A client id that stays the same on one machine for one instrument and that no other machine has: two clients of one
 * id throw each other out, for ever. 22 letters and digits, as every broker takes them (MQTT 3.1.1, 3.1.3.1). Pure.
 */
export function clientIdOf({ machineId, hostname: name, instrument, broker }: ClientFacts): string {
  // The id of the machine itself is nobody's business (machine-id(5)); copied memory cards differ by name at least.
  const hash = createHash('sha256').update(
    JSON.stringify(['relay-agent', machineId, name, instrument, broker]),
  )
  return `relay${hash.digest('hex').slice(0, 17)}`
}

/** The client id of an instrument of this machine; without `/etc/machine-id` it is new at each start. */
export function standardClientId(instrument: string, broker: string): string {
  return clientIdOf({ machineId: readMachineId(), hostname: hostname(), instrument, broker })
}

function readMachineId(): string {
  try {
    return readFileSync('/etc/machine-id', 'utf8').trim() || randomUUID()
  } catch {
    return randomUUID()
  }
}
