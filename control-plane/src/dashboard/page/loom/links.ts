/** Where a click on the loom leads: to the traces that went through what was clicked. */
export const tracesOf = (filter: { readonly service?: string; readonly topic?: string }): string => {
  const { service, topic } = filter
  const query = new URLSearchParams({
    ...(service !== undefined && service !== 'ingress' && { service }),
    ...(topic !== undefined && { topic }),
  }).toString()
  return query === '' ? '/traces' : `/traces?${query}`
}
