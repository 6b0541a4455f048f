import type { FaultView, MeshStatus } from '../../../telemetry/types.ts'
import { connection, paused, status } from '../state/live.ts'
import { words } from '../strings.ts'

/** Who is connected, which configuration is in force, and what is wrong with the files it comes from. */
export function StatusStrip() {
  const now = status.value
  return (
    <section class="status" aria-label={words.status}>
      <Connection />
      {now !== undefined && <Facts now={now} />}
    </section>
  )
}

function Connection() {
  const state = connection.value === 'open' && paused.value ? 'paused' : connection.value
  const label = {
    open: words.live,
    paused: words.paused,
    connecting: words.connecting,
    lost: words.connecting,
  }
  return <span class={`dot ${state}`}>{label[state]}</span>
}

function Facts({ now }: { readonly now: MeshStatus }) {
  const { sidecars, behind, version, faults } = now
  const sign = sidecars.connected < sidecars.total || behind.length > 0 ? 'warn' : 'ok'
  return (
    <>
      <span class={`state ${sign}`} title={behind.length === 0 ? undefined : words.behind(behind)}>
        {words.sidecars(sidecars.connected, sidecars.total)}
      </span>
      {version !== undefined && <span>{words.version(version)}</span>}
      {faults.length === 0 ? <span>{words.noFaults}</span> : <Faults faults={faults} />}
    </>
  )
}

function Faults({ faults }: { readonly faults: readonly FaultView[] }) {
  return (
    <details class="faults">
      <summary class="state bad">{words.faults(faults.length)}</summary>
      <ul>
        {faults.map((fault) => (
          <li key={`${fault.file}:${fault.line}:${fault.path}`}>
            {fault.file !== undefined && <code>{words.faultPlace(fault.file, fault.line)}</code>}{' '}
            {fault.message}
          </li>
        ))}
      </ul>
    </details>
  )
}
