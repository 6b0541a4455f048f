export type ChargeResult =
  | { readonly result: 'charged' }
  | { readonly result: 'declined'; readonly reason: string }

/** Test cards that end like this have no money on them, for example 4000000000000002. */
const DECLINED_SUFFIX = '0002'

/**
 * Stands for the payment provider. Like a real one it can be asked twice about one order and answers the
 * same: a real one is given the order's id as its idempotency key.
 */
export function chargeCard(card: string): ChargeResult {
  return card.endsWith(DECLINED_SUFFIX)
    ? { result: 'declined', reason: 'insufficient_funds' }
    : { result: 'charged' }
}
