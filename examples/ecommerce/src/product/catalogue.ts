/** What the shop sells on its first day; after that, the database knows. */
export interface CatalogueEntry {
  readonly productId: string
  readonly name: string
  readonly description: string
  readonly priceCents: number
  readonly stock: number
}

export const CURRENCY = 'EUR'

/** Each has its picture at page/images/<productId>.svg. */
export const CATALOGUE: readonly CatalogueEntry[] = [
  {
    productId: 'linen-scarf',
    name: 'Linen scarf',
    description: 'Plain weave, washed soft, longer than you think.',
    priceCents: 4_900,
    stock: 500,
  },
  {
    productId: 'wool-blanket',
    name: 'Wool blanket',
    description: 'Herringbone twill, for one person and one cat.',
    priceCents: 12_900,
    stock: 250,
  },
  {
    productId: 'cotton-tote',
    name: 'Cotton tote',
    description: 'Basket weave. Carries a laptop and two loaves.',
    priceCents: 2_400,
    stock: 640,
  },
  {
    productId: 'indigo-yarn',
    name: 'Indigo yarn',
    description: 'One skein, dyed three times, 200 metres.',
    priceCents: 1_850,
    stock: 2_400,
  },
  {
    productId: 'boat-shuttle',
    name: 'Boat shuttle',
    description: 'Beech. It travels through, so that the rest can stand.',
    priceCents: 3_600,
    stock: 900,
  },
  {
    productId: 'table-loom',
    name: 'Table loom',
    description: 'Four shafts, made by hand, and only three of them.',
    priceCents: 42_000,
    stock: 3,
  },
]
