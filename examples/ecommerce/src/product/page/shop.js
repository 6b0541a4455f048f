// The shop page. Plain JavaScript: what is here is what the browser runs; its types are in the comments.

/**
 * @typedef {{ productId: string, name: string, description: string, priceCents: number, stock: number }} Product
 * @typedef {{ orderId: string, productId: string, quantity: number, amountCents: number, createdAt: string,
 *   status: 'pending' | 'paid' | 'cancelled', reason: string | null, traceUrl?: string }} Order
 */

/** While an order is open the page asks this often; a tab that nobody looks at does not ask. */
const POLL_MS = 400
/** Something that takes longer is asked for less and less often, down to this. */
const SLOWEST_POLL_MS = 3000
/** After the last change the page looks on for this long. */
const SETTLING_MS = 2000
const SHOWN_ORDERS = 8
/** Stock from here on down is worth a warning. */
const LOW_STOCK = 5

const STATES = { pending: 'waiting for payment', paid: 'paid', cancelled: 'cancelled' }
const REASONS = new Map([['insufficient_funds', 'insufficient funds']])

const timeFormat = new Intl.DateTimeFormat('en', { timeStyle: 'medium', hourCycle: 'h23' })
const dateFormat = new Intl.DateTimeFormat('en', { dateStyle: 'full', timeStyle: 'long', hourCycle: 'h23' })
const countFormat = new Intl.NumberFormat('en')
let priceFormat = new Intl.NumberFormat('en', { style: 'currency', currency: 'EUR' })

/** @type {Map<string, string>} */
const productNames = new Map()

// ---- asking the shop

class RefusedError extends Error {
  /** @param {number} status @param {string} message */
  constructor(status, message) {
    super(message)
    this.status = status
  }
}

/**
 * The JSON of an answer. One that is not a success becomes an Error with the server's own sentence.
 * @param {string} path
 * @param {RequestInit} options
 * @returns {Promise<unknown>}
 */
async function ask(path, options) {
  const response = await fetch(path, options).catch(() => {
    throw new Error('the shop does not answer')
  })
  /** @type {unknown} */
  const body = await response.json().catch(() => undefined)
  if (response.ok) return body
  const { detail } = /** @type {{ detail?: string }} */ (body ?? {})
  throw new RefusedError(response.status, detail ?? `the shop answered ${response.status}`)
}

/**
 * Reads that the page makes by itself say "not sampled" (W3C Trace Context, flags 00): a trace is worth
 * having of what a person did, not of every look at whether it is done.
 * @param {string} path
 */
const read = (path) => ask(path, { headers: { traceparent: `00-${randomHex(16)}-${randomHex(8)}-00` } })

/**
 * Two tries under one Idempotency-Key: if the first answer was lost, the second cannot order again.
 * @param {{ productId: string, quantity: number, card: string }} order
 */
async function placeOrder(order) {
  const request = {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'idempotency-key': randomHex(16) },
    body: JSON.stringify(order),
  }
  try {
    await ask('/api/orders', request)
  } catch (error) {
    if (error instanceof RefusedError && error.status !== 503) throw error
    await ask('/api/orders', request)
  }
}

/** @param {number} bytes */
const randomHex = (bytes) =>
  Array.from(crypto.getRandomValues(new Uint8Array(bytes)), (byte) =>
    byte.toString(16).padStart(2, '0'),
  ).join('')

// ---- the document

/** @param {string} selector @param {ParentNode} within @returns {HTMLElement} */
function find(selector, within = document) {
  const found = within.querySelector(selector)
  if (!(found instanceof HTMLElement)) throw new Error(`the page has no ${selector}`)
  return found
}

/** @param {string} id @returns {HTMLElement} */
function fromTemplate(id) {
  const template = find(`template#${id}`)
  const copy = template instanceof HTMLTemplateElement && template.content.firstElementChild?.cloneNode(true)
  if (!(copy instanceof HTMLElement)) throw new Error(`the page has no template ${id}`)
  return copy
}

/** @param {string} selector @param {string} text */
function say(selector, text, within = document.body) {
  const place = find(selector, within)
  // A live region speaks whenever it is written to, even if it says the same.
  if (place.textContent !== text) place.textContent = text
}

/** @param {unknown} error */
const messageOf = (error) => (error instanceof Error ? error.message : String(error))

// ---- products

async function showProducts() {
  const answer = /** @type {{ currency: string, products: Product[] }} */ (await read('/api/products'))
  priceFormat = new Intl.NumberFormat('en', { style: 'currency', currency: answer.currency })
  for (const product of answer.products) showProduct(product)
}

/** @param {Product} product */
function showProduct({ productId, name, description, priceCents, stock }) {
  productNames.set(productId, name)
  const card = document.getElementById(`product-${productId}`) ?? newProduct(productId)
  say('h3', name, card)
  say('.description', description, card)
  say('.price', priceFormat.format(priceCents / 100), card)
  say('.stock', stockText(stock), card)
  find('.stock', card).classList.toggle('low', stock <= LOW_STOCK)
  const text = stock === 0 ? 'Sold out' : 'Buy Now'
  const button = find('button', card)
  say('button', text, card)
  button.setAttribute('aria-label', `${text}: ${name}`)
  if (!buying.has(productId)) setDisabled(button, stock === 0)
}

/** @param {string} productId */
function newProduct(productId) {
  const card = fromTemplate('product')
  card.id = `product-${productId}`
  find('img', card).setAttribute('src', `/images/${productId}.svg`)
  find('button', card).addEventListener('click', () => void buy(productId))
  find('#products').append(card)
  return card
}

/** @param {number} stock */
function stockText(stock) {
  if (stock === 0) return 'none left'
  return stock <= LOW_STOCK ? `only ${stock} left` : `${countFormat.format(stock)} in stock`
}

/**
 * Not the attribute `disabled`: the keyboard focus would fall off the button that was just pressed.
 * @param {HTMLElement} button @param {boolean} disabled
 */
const setDisabled = (button, disabled) => button.setAttribute('aria-disabled', String(disabled))

/** @type {Set<string>} */
const buying = new Set()

/** @param {string} productId */
async function buy(productId) {
  const button = find(`#product-${productId} button`)
  if (button.getAttribute('aria-disabled') === 'true') return
  buying.add(productId)
  setDisabled(button, true)
  say('#products-message', '')
  const card = find('input[name="card"]:checked').getAttribute('value') ?? ''
  try {
    await placeOrder({ productId, quantity: 1, card })
  } catch (error) {
    say('#products-message', `Not ordered: ${messageOf(error)}.`)
  }
  buying.delete(productId)
  setDisabled(button, false)
  await refreshNow()
}

// ---- orders

/** True while an order is open. */
async function showOrders() {
  const { orders } = /** @type {{ orders: Order[] }} */ (await read(`/api/orders?limit=${SHOWN_ORDERS}`))
  find('#no-orders').hidden = orders.length > 0
  const list = find('#orders')
  const ids = new Set(orders.map(({ orderId }) => `order-${orderId}`))
  for (const row of [...list.children]) if (!ids.has(row.id)) row.remove()
  /** @type {string[]} */
  const news = []
  // Newest first; a row that is there stays the same element, so that the focus on its link stays too.
  orders.forEach((order, position) => {
    const row = document.getElementById(`order-${order.orderId}`) ?? newOrder(order)
    if (showState(row, order))
      news.unshift(`${find('.what', row).textContent}: ${find('.state', row).textContent}`)
    if (list.children[position] !== row) list.insertBefore(row, list.children[position] ?? null)
  })
  // Spoken, but not for the orders of yesterday that the page begins with.
  if (isUpToDate && news.length > 0) say('#news', news.join('. '))
  return orders.some(({ status }) => status === 'pending')
}

/** @param {Order} order */
function newOrder({ orderId, productId, quantity, amountCents, createdAt, traceUrl }) {
  const row = fromTemplate('order')
  row.id = `order-${orderId}`
  say('.what', `${productNames.get(productId) ?? productId}${quantity === 1 ? '' : ` × ${quantity}`}`, row)
  say('.amount', priceFormat.format(amountCents / 100), row)
  const time = find('time', row)
  time.setAttribute('datetime', createdAt)
  time.title = dateFormat.format(new Date(createdAt))
  time.textContent = timeFormat.format(new Date(createdAt))
  const link = find('.trace', row)
  if (traceUrl === undefined) link.remove()
  else link.setAttribute('href', traceUrl)
  return row
}

/** True when it is another state than before. @param {HTMLElement} row @param {Order} order */
function showState(row, { status, reason }) {
  if (row.dataset.status === status) return false
  row.dataset.status = status
  say('.state', reason === null ? STATES[status] : `${STATES[status]}: ${REASONS.get(reason) ?? reason}`, row)
  return true
}

// ---- keeping up

let isUpToDate = false
let isRefreshing = false
let isAskedAgain = false
let pollMs = POLL_MS
let lookUntil = 0
/** @type {number | undefined} */
let timer

/**
 * Shows everything as it is. Comes again while an order is open or the shop is away, and a little longer: the
 * stock of a cancelled order comes back by an event of its own, maybe after the order is closed.
 */
async function refresh() {
  // Somebody bought while we were reading: what we read may be older than the order.
  if (isRefreshing) {
    isAskedAgain = true
    return
  }
  isRefreshing = true
  clearTimeout(timer)
  try {
    await showProducts()
    if (await showOrders()) lookUntil = Date.now() + SETTLING_MS
    say('#orders-message', '')
    isUpToDate = true
  } catch (error) {
    say('#orders-message', `Not up to date: ${messageOf(error)}. Trying again.`)
    lookUntil = Date.now() + SETTLING_MS
  }
  isRefreshing = false
  if (isAskedAgain) {
    isAskedAgain = false
    await refresh()
    return
  }
  pollMs = Math.min(pollMs * 1.15, SLOWEST_POLL_MS)
  timer = setTimeout(() => {
    if (!document.hidden && Date.now() < lookUntil + pollMs) void refresh()
  }, pollMs)
}

function refreshNow() {
  pollMs = POLL_MS
  return refresh()
}

document.addEventListener('visibilitychange', () => {
  if (!document.hidden) void refreshNow()
})
await refreshNow()
