import type { AgentConfig } from '../config.ts'
import { isStream } from '../feeds/feed-hub.ts'
import type { Delivery } from './uplink.ts'

/**
 * What `auto` means for a topic or rule that carries `feed`. What an instrument measures waits, binary or not; where a
 * camera or a script speaks, the kind of each message decides. Streams can be changed at any time, and video that waited
 * would be stale, so theirs stays `auto`. Pure.
 */
export function deliveryOf(
  { feed, delivery }: { readonly feed: string; readonly delivery: Delivery },
  {
    cameras,
    instruments,
    mqttInstruments = [],
  }: Pick<AgentConfig, 'cameras' | 'instruments'> & Partial<Pick<AgentConfig, 'mqttInstruments'>>,
): Delivery {
  if (delivery !== 'auto' || isStream(feed)) return delivery
  const isOfInstrument = [...instruments, ...mqttInstruments].some((instrument) => instrument.feed === feed)
  const isOfCamera = cameras.some((camera) => camera.feed === feed)
  return isOfInstrument && !isOfCamera ? 'queued' : 'auto'
}
