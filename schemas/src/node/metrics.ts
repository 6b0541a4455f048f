/**
 * The instruments of a process. prom-client keeps the registry and writes the text; counters and histograms are ours, because
 * its own find a number by sorting and joining labels at each count, which would be a quarter of what a request costs. Here
 * labels are looked up once, for a cell, and text is made when somebody scrapes.
 *
 *     counter ─ cells ─▶ "outbound\0caller\0app\0200\0-" ─▶ CounterCell   { labels, count }
 *     histogram ─ cells ─▶ "outbound\0caller\0app" ─▶ HistogramCell { labels, buckets [0…n], sum }
 */
import { collectDefaultMetrics, Gauge, type Metric, Registry } from 'prom-client'
import { METRICS, type MetricName } from '../metric-names.ts'

type NamesOf<Type extends string> = {
  [Name in MetricName]: (typeof METRICS)[Name]['type'] extends Type ? Name : never
}[MetricName]
type LabelsOf<Name extends MetricName> = (typeof METRICS)[Name]['labels'][number]
type Labels<Label extends string> = Readonly<Partial<Record<Label, string>>>

/** The instruments of one process, made on first use from the table of metric names. */
export interface Metrics {
  readonly registry: Registry
  counter<Name extends NamesOf<'counter'>>(name: Name): Counter<LabelsOf<Name>>
  gauge<Name extends NamesOf<'gauge'>>(name: Name): Gauge<LabelsOf<Name>>
  histogram<Name extends NamesOf<'histogram'>>(name: Name): Histogram<LabelsOf<Name>>
}

/** A registry of its own, so that several can live in one test process. `processMetrics` adds prom-client's defaults. */
export function createMetrics(options: { readonly processMetrics?: boolean } = {}): Metrics {
  const registry = new Registry()
  if (options.processMetrics === true) collectDefaultMetrics({ register: registry })

  const once = <Name extends MetricName, T>(name: Name, make: () => T): T =>
    (registry.getSingleMetric(name) as T | undefined) ?? make()
  const registered = <T extends Counter<never> | Histogram<never>>(metric: T): T => {
    // The registry asks a metric for its name and for `get`, and nothing else.
    registry.registerMetric(metric as unknown as Metric<string>)
    return metric
  }

  return {
    registry,
    counter: (name) => once(name, () => registered(new Counter(name, METRICS[name]))),
    gauge: (name) =>
      once(name, () => {
        const { help, labels } = METRICS[name]
        return new Gauge({ name, help, labelNames: [...labels], registers: [registry] })
      }),
    histogram: (name) => once(name, () => registered(new Histogram(name, METRICS[name]))),
  }
}

interface Described {
  readonly help: string
  readonly labels: readonly string[]
}

interface Sample {
  readonly labels: Readonly<Record<string, string | number>>
  readonly value: number
  readonly metricName?: string
}

/** What the registry and the reporter read of a metric: the shape of prom-client's own `get`. */
interface Collected {
  readonly name: string
  readonly help: string
  readonly type: 'counter' | 'histogram'
  readonly aggregator: 'sum'
  readonly values: readonly Sample[]
}

/** Cells by the values of their labels, in the order of the label names. */
class Cells<Label extends string, Cell> {
  readonly #names: readonly string[]
  readonly #make: (labels: Labels<Label>) => Cell
  readonly #byValues = new Map<string, Cell>()

  constructor(names: readonly string[], make: (labels: Labels<Label>) => Cell) {
    this.#names = names
    this.#make = make
  }

  at(labels: Labels<Label>): Cell {
    const given = labels as Readonly<Record<string, string | undefined>>
    let key = ''
    for (const name of this.#names) key += `${given[name] ?? ''}\0`
    let cell = this.#byValues.get(key)
    if (cell === undefined) {
      cell = this.#make(labels)
      this.#byValues.set(key, cell)
    }
    return cell
  }

  all(): readonly Cell[] {
    return [...this.#byValues.values()]
  }
}

class CounterCell {
  readonly labels: Readonly<Record<string, string>>
  #count = 0

  constructor(labels: Readonly<Record<string, string>>) {
    this.labels = labels
  }

  get count(): number {
    return this.#count
  }

  inc(by = 1): void {
    this.#count += by
  }
}

export class Counter<Label extends string> {
  readonly name: string
  readonly #help: string
  readonly #cells: Cells<Label, CounterCell>

  constructor(name: string, { help, labels }: Described) {
    this.name = name
    this.#help = help
    this.#cells = new Cells(labels, (given) => new CounterCell(given as Record<string, string>))
  }

  /** The number for these labels, to be kept by whoever counts often. */
  labels(labels: Labels<Label>): CounterCell {
    return this.#cells.at(labels)
  }

  inc(labels: Labels<Label>, by = 1): void {
    this.#cells.at(labels).inc(by)
  }

  async get(): Promise<Collected> {
    const values = this.#cells.all().map(({ labels, count }) => ({ labels, value: count }))
    return { name: this.name, help: this.#help, type: 'counter', aggregator: 'sum', values }
  }
}

class HistogramCell {
  readonly labels: Readonly<Record<string, string>>
  readonly #bounds: readonly number[]
  /** Per bound, not cumulative; the last one is for what is above all bounds. */
  readonly #buckets: number[]
  #sum = 0

  constructor(labels: Readonly<Record<string, string>>, bounds: readonly number[]) {
    this.labels = labels
    this.#bounds = bounds
    this.#buckets = new Array<number>(bounds.length + 1).fill(0)
  }

  observe(value: number): void {
    const bounds = this.#bounds
    let at = 0
    while (at < bounds.length && value > (bounds[at] as number)) at++
    this.#buckets[at] = (this.#buckets[at] as number) + 1
    this.#sum += value
  }

  samples(name: string): readonly Sample[] {
    const { labels } = this
    let count = 0
    const buckets = this.#buckets.map((bucket, at) => {
      count += bucket
      return {
        labels: { le: this.#bounds[at] ?? '+Inf', ...labels },
        value: count,
        metricName: `${name}_bucket`,
      }
    })
    return [
      ...buckets,
      { labels, value: this.#sum, metricName: `${name}_sum` },
      { labels, value: count, metricName: `${name}_count` },
    ]
  }
}

export class Histogram<Label extends string> {
  readonly name: string
  readonly #help: string
  readonly #cells: Cells<Label, HistogramCell>

  constructor(name: string, { help, labels, buckets }: Described & { readonly buckets: readonly number[] }) {
    this.name = name
    this.#help = help
    this.#cells = new Cells(labels, (given) => new HistogramCell(given as Record<string, string>, buckets))
  }

  /** The distribution for these labels, to be kept by whoever observes often. */
  labels(labels: Labels<Label>): HistogramCell {
    return this.#cells.at(labels)
  }

  observe(labels: Labels<Label>, value: number): void {
    this.#cells.at(labels).observe(value)
  }

  async get(): Promise<Collected> {
    const values = this.#cells.all().flatMap((cell) => cell.samples(this.name))
    return { name: this.name, help: this.#help, type: 'histogram', aggregator: 'sum', values }
  }
}
