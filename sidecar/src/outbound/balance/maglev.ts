/**
 * Maglev's table (Eisenbud et al., NSDI 2016, section 3.4): every endpoint has a permutation of the entries, and they take
 * turns in claiming the next free one of theirs. Even to within a percent; when one endpoint goes, little more than its share moves.
 */
import type { LiveEndpoint } from '../endpoint.ts'
import { hashText, mix } from './hash.ts'
import type { HashOf } from './hash-key.ts'
import { EMPTY_LEVEL, type Picker } from './picker.ts'

/** Envoy's: prime, and a hundred times as large as most services. */
const ENTRIES = 65_537
/** Where an entry is of no use, others are tried that follow from the hash; after so many the usable ones are counted off. */
const MAX_PROBES = 16

export function maglev(hashOf: HashOf): Picker {
  let table = new Uint16Array(0)
  let level = EMPTY_LEVEL
  return {
    update(now) {
      if (now.members !== level.members) table = tableOf(now.members)
      level = now
    },
    pick(head, tried) {
      const { members, usable, isPanic } = level
      if (usable.length < 2) return usable[0]
      let hash = hashOf(head)
      for (let probe = 0; probe < MAX_PROBES; probe++) {
        const endpoint = members[table[hash % ENTRIES] ?? 0]
        if (endpoint !== undefined && endpoint !== tried && (isPanic || endpoint.isHealthy)) return endpoint
        hash = mix(hash + 1)
      }
      const at = hash % usable.length
      return usable[at] === tried ? usable[(at + 1) % usable.length] : usable[at]
    },
  }
}

function tableOf(members: readonly LiveEndpoint[]): Uint16Array<ArrayBuffer> {
  const table = new Uint16Array(ENTRIES)
  const isTaken = new Uint8Array(ENTRIES)
  const heaviest = members.reduce((most, { weight }) => Math.max(most, weight), 1)
  // More endpoints than entries would never come to an end; they have no entry each anyway.
  const claims = members.slice(0, ENTRIES - 1).map(({ key, weight }) => {
    const hash = hashText(key)
    return { at: hash % ENTRIES, skip: 1 + (mix(hash) % (ENTRIES - 1)), share: weight / heaviest, credit: 0 }
  })
  for (let filled = 0; filled < ENTRIES && claims.length > 0; )
    for (let index = 0; index < claims.length && filled < ENTRIES; index++) {
      const claim = claims[index] as (typeof claims)[number]
      // The heaviest claims in every round, the others in their share of them.
      claim.credit += claim.share
      if (claim.credit < 1) continue
      claim.credit -= 1
      while (isTaken[claim.at] === 1) claim.at = (claim.at + claim.skip) % ENTRIES
      isTaken[claim.at] = 1
      table[claim.at] = index
      filled++
    }
  return table
}
