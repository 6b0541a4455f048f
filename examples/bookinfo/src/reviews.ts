import { get, serve } from './serve.ts'

const { VERSION = 'v1', STARS } = process.env

const REVIEWS = [
  { reviewer: 'Reviewer1', text: 'An extremely entertaining play. The slapstick humour is refreshing!' },
  { reviewer: 'Reviewer2', text: 'Absolutely fun and entertaining. The play lacks thematic depth.' },
]

/** Versions that have a colour ask for stars; the reviews are worth reading without them too. */
serve(async (path, request) => {
  if (path !== '/reviews/0') return undefined
  const ratings = STARS === undefined ? undefined : await get('http://ratings/ratings/0', request)
  // One line for each request, by which a mirror can be seen.
  console.log(`reviews ${VERSION} answers`)
  return {
    json: {
      version: VERSION,
      reviews: REVIEWS,
      ...(ratings && { stars: { color: STARS, status: ratings.status, by: ratings.json } }),
    },
  }
})
