import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client'
import { METRICS, type MetricName } from '../metric-names.ts'

type NamesOf<Type extends string> = {
  [Name in MetricName]: (typeof METRICS)[Name]['type'] extends Type ? Name : never
}[MetricName]
type LabelsOf<Name extends MetricName> = (typeof METRICS)[Name]['labels'][number]

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
  const base = (name: MetricName) => ({
    name,
    help: METRICS[name].help,
    labelNames: [...METRICS[name].labels],
    registers: [registry],
  })

  return {
    registry,
    counter: (name) => once(name, () => new Counter(base(name))),
    gauge: (name) => once(name, () => new Gauge(base(name))),
    histogram: (name) =>
      once(name, () => new Histogram({ ...base(name), buckets: [...METRICS[name].buckets] })),
  }
}
