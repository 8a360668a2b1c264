import type { IClientOptions } from 'mqtt'
import type { Clock } from '@relay/common/clock'
import { AppError, errorCode } from '@relay/common/errors'
import type { BrokerFileNames, BrokerFiles } from './broker-files.ts'
import { type BrokerNames, connectionFault, farewell, refusal } from './broker-fault.ts'
import { BrokerStream } from './broker-stream.ts'
import type { Command } from './command-queue.ts'
import { type BrokerAddress, dialBroker } from './dial-broker.ts'
import type { LeftOut } from './packet-gate.ts'
import type { Qos } from './topic-map.ts'

export interface Notice {
  readonly topic: string
  readonly payload: string
  readonly qos: Qos
  readonly retain: boolean
}

export interface BrokerOptions {
  readonly address: BrokerAddress
  readonly names: BrokerNames
  readonly protocol: '3.1.1' | 5
  readonly files: BrokerFileNames
  readonly keepAliveSec: number
  readonly connectTimeoutMs: number
  readonly isClean: boolean
  readonly sessionExpirySec: number
  /** Undefined: none. */
  readonly will: Notice | undefined
  readonly maxPacketBytes: number
}

export interface BrokerEvents {
  readonly onMessage: (topic: string, payload: Buffer, retained: boolean) => void
  /** A message was left out: it was longer than `maxPacketBytes`, or of QoS 2. */
  readonly onLeftOut: (reason: LeftOut['reason']) => void
  /** Once, when the connection is gone, whoever ended it. */
  readonly onClosed: (fault: AppError) => void
}

export interface BrokerDeps {
  readonly clock: Clock
  /** Gives what stands in the files, or fails soon. */
  readonly readFiles: () => Promise<BrokerFiles>
}

export type PublishOutcome = 'taken' | 'refused'

/** An open connection to a broker, logged in. It is used once: after a fault a new one is opened. */
export interface BrokerLink {
  /** The broker kept our session, and with it what came by QoS 1. */
  readonly isSessionKept: boolean
  /** Bytes that the network has not taken yet. */
  readonly bufferedBytes: number
  /** False when the broker refuses the filter. */
  subscribe(filter: string, qos: Qos): Promise<boolean>
  /** `onDone` comes when the broker has it (QoS 1) or at once (QoS 0); never when the connection goes before. */
  publish(command: Command, expirySec: number | undefined, onDone: (outcome: PublishOutcome) => void): void
  /** Takes leave, so that the broker does not publish the last will; ends in any case. */
  close(): Promise<void>
  /** Ends at once. */
  terminate(): void
}

const farewellWithinMs = 1_000
/** Messages of QoS 1 that the broker may send us before we acknowledged one (MQTT 5, 3.1.2.11.3). */
const receiveMaximum = 32

/**
 * Opens a connection with the `mqtt` library, which is loaded only now; the socket, TLS and the
 * next attempt are ours.
 * @throws {AppError} those of `dialBroker` and `readFiles`, and `MQTT_LOGIN_REFUSED`, `MQTT_VERSION_REFUSED`,
 *   `MQTT_CLIENT_ID_REFUSED`, `MQTT_REFUSED`, `MQTT_MUTE`, `MQTT_MALFORMED`, `MQTT_CLOSED`.
 */
export async function openBroker(
  options: BrokerOptions,
  events: BrokerEvents,
  { clock, readFiles }: BrokerDeps,
  signal: AbortSignal,
): Promise<BrokerLink> {
  const { address, names, connectTimeoutMs, maxPacketBytes } = options
  const [{ MqttClient }, files] = await Promise.all([import('./mqtt-client.ts'), readFiles()])
  const socket = await dialBroker({ address, names, files, timeoutMs: connectTimeoutMs }, clock, signal)
  const stream = new BrokerStream(socket, { maxPacketBytes, onLeftOut: events.onLeftOut }, clock)
  const client = new MqttClient(() => stream, clientOptions(options, files.password))
  const end = Promise.withResolvers<AppError>()
  let fault: AppError | undefined
  let isConnected = false
  const fail = (error: AppError): void => {
    fault ??= error
    stream.destroy()
  }
  client.on('error', (error) => fail(faultOfClient(error, names)))
  stream.on('error', (error) => fail(connectionFault(error, names)))
  client.on('disconnect', ({ reasonCode = 0 }) => fail(farewell(reasonCode, names)))
  client.on('close', () => end.resolve(fault ?? closedFault(isConnected, names)))
  client.on('message', (topic, payload, { retain }) => events.onMessage(topic, payload, retain))
  const onAbort = (): void => fail(new AppError('ABORTED', 'connecting to the broker was given up'))
  signal.addEventListener('abort', onAbort, { once: true })
  if (signal.aborted) onAbort()
  const connected = new Promise<boolean>((resolve) => {
    client.once('connect', ({ sessionPresent }) => {
      isConnected = true
      resolve(sessionPresent)
    })
  })
  const outcome = await Promise.race([connected, end.promise])
  signal.removeEventListener('abort', onAbort)
  if (outcome instanceof AppError) throw outcome
  void end.promise.then(events.onClosed)
  return {
    isSessionKept: outcome,
    get bufferedBytes() {
      return stream.bufferedBytes
    },
    subscribe: (filter, qos) =>
      new Promise((resolve, reject) => {
        client.subscribe(filter, { qos }, (error) => {
          if (error === null || error === undefined) resolve(true)
          else if (stream.destroyed) reject(fault ?? closedFault(true, names))
          else resolve(false)
        })
      }),
    publish: ({ topic, payload, qos, retain }, expirySec, onDone) => {
      const properties = expirySec === undefined ? {} : { properties: { messageExpiryInterval: expirySec } }
      client.publish(topic, payload, { qos, retain, ...properties }, (error) => {
        if (error === null || error === undefined) onDone('taken')
        else if (!stream.destroyed) onDone('refused')
      })
    },
    close: async () => {
      const late = new AbortController()
      client.end()
      await Promise.race([end.promise, clock.sleep(farewellWithinMs, late.signal)])
      late.abort()
      stream.destroy()
      await end.promise
    },
    terminate: () => void stream.destroy(),
  }
}

function clientOptions(options: BrokerOptions, password: string | undefined): IClientOptions {
  const { names, protocol, keepAliveSec, isClean, sessionExpirySec, will } = options
  const isFive = protocol === 5
  return {
    clientId: names.clientId,
    ...(names.username === '' ? {} : { username: names.username }),
    ...(password === undefined ? {} : { password }),
    protocolId: 'MQTT',
    protocolVersion: isFive ? 5 : 4,
    clean: isClean,
    keepalive: keepAliveSec,
    connectTimeout: options.connectTimeoutMs,
    reconnectPeriod: 0,
    resubscribe: false,
    queueQoSZero: false,
    // Its log would show passwords to whoever sets DEBUG.
    log: () => undefined,
    ...(isFive
      ? { properties: { receiveMaximum, ...(isClean ? {} : { sessionExpiryInterval: sessionExpirySec }) } }
      : {}),
    ...(will === undefined ? {} : { will: { ...will, payload: Buffer.from(will.payload) } }),
  }
}

/** What the library tells as an error: a number is the reason code of a refusal. */
function faultOfClient(error: Error, names: BrokerNames): AppError {
  const { code } = error as { readonly code?: unknown }
  if (typeof code === 'number') return refusal(code, names)
  if (/connack timeout/i.test(error.message))
    return new AppError('MQTT_MUTE', `what listens at ${names.broker} did not answer: is it a broker?`)
  if (/keepalive/i.test(error.message))
    return new AppError('MQTT_SILENT', `the broker ${names.broker} stopped answering`)
  if (errorCode(error) !== undefined || error instanceof AppError) return connectionFault(error, names)
  return new AppError('MQTT_MALFORMED', `what answers at ${names.broker} breaks the rules of MQTT`, {
    cause: error,
  })
}

/** Old brokers do not say why they close. */
function closedFault(wasConnected: boolean, { broker, clientId }: BrokerNames): AppError {
  return wasConnected
    ? new AppError(
        'MQTT_LOST',
        `the broker ${broker} closed the connection; if it does so again and again, another client has the client id "${clientId}"`,
      )
    : new AppError(
        'MQTT_CLOSED',
        `the broker ${broker} closed the connection before it answered: is that its port for TLS (mqtts://), and does it speak this version?`,
      )
}
