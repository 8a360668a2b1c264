import { longestReturnMs } from '@relay/common/return-hint'

/**
 * So many links of hosts may come back in a second after a restart: each costs the access API a check of its token and
 * this port an upgrade. 200 devices with two links each are back within 15 s.
 */
const returnsPerSecond = 27

/** Over how long `links` links shall spread that all break at once. Pure. */
export function returnSpreadMs(links: number): number {
  return (links * 1000) / returnsPerSecond
}

/** When the link that is the `index`th (from 0) to be sent away shall come back, within what hosts wait. Pure. */
export function returnSlotMs(index: number): number {
  return ((index * 1000) / returnsPerSecond) % longestReturnMs
}
