import type { SuccessRate } from '@weft/schemas/snapshot'
import type { LiveEndpoint } from './endpoint.ts'

/** Those whose share of successes lies too many standard deviations below the mean; none where too few can be compared. */
export function unsuccessful(
  endpoints: readonly LiveEndpoint[],
  { minHosts, minRequests, stdevFactor }: SuccessRate,
): readonly LiveEndpoint[] {
  const compared = endpoints.filter(({ outlier }) => outlier.requests >= minRequests)
  if (compared.length < minHosts) return []
  const rates = compared.map(({ outlier }) => outlier.successes / outlier.requests)
  const mean = rates.reduce((sum, rate) => sum + rate, 0) / rates.length
  const variance = rates.reduce((sum, rate) => sum + (rate - mean) ** 2, 0) / rates.length
  const least = mean - stdevFactor * Math.sqrt(variance)
  return compared.filter((_, index) => (rates[index] ?? 1) < least)
}
