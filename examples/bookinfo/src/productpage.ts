import { get, type Reply, serve } from './serve.ts'

serve(async (path, request) => {
  if (path !== '/' && path !== '/api') return undefined
  const [details, reviews] = await Promise.all([
    get('http://details/details/0', request),
    get('http://reviews/reviews/0', request),
  ])
  return path === '/api' ? { json: { details, reviews } } : { html: page(details, reviews) }
})

interface Reviews {
  readonly version: string
  readonly reviews: readonly { readonly reviewer: string; readonly text: string }[]
  readonly stars?: { readonly color: string; readonly by: Readonly<Record<string, number>> | null }
}

function page(details: Reply, reviews: Reply): string {
  const { title = 'a book', author = '' } = (details.json ?? {}) as { title?: string; author?: string }
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>${title}</title>
<style>
  body { font: 1rem/1.5 system-ui, sans-serif; max-width: 40rem; margin: 3rem auto; padding: 0 1rem; color: #1c1917; }
  blockquote { margin: 1.5rem 0; padding-left: 1rem; border-left: 3px solid #d6d3d1; }
  small { color: #57534e; }
</style>
<h1>${title}</h1>
<p>${details.json === null ? `The details cannot be had right now (${details.status}).` : author}</p>
<h2>Reviews</h2>
${reviews.json === null ? `<p>The reviews cannot be had right now (${reviews.status}).</p>` : reviewList(reviews.json as Reviews)}
</html>
`
}

function reviewList({ version, reviews, stars }: Reviews): string {
  const starsOf = (reviewer: string): string => {
    if (stars === undefined) return ''
    if (stars.by === null) return '<p>The ratings cannot be had right now.</p>'
    const count = stars.by[reviewer] ?? 0
    return `<p style="color: ${stars.color}" aria-label="${count} of 5 stars">${'★'.repeat(count)}${'☆'.repeat(5 - count)}</p>`
  }
  const quotes = reviews.map(
    ({ reviewer, text }) =>
      `<blockquote>${text}<br><small>${reviewer}</small>${starsOf(reviewer)}</blockquote>`,
  )
  return `${quotes.join('\n')}\n<p><small>by reviews ${version}</small></p>`
}
