import { useSignal } from '@preact/signals'
import { traceWords } from '../strings.ts'

/** The id as text that can be selected, and a button; without the clipboard (plain http on another host) the text remains. */
export function CopyId({ traceId }: { readonly traceId: string }) {
  const copied = useSignal(false)
  const copy = (): void => {
    navigator.clipboard?.writeText(traceId).then(
      () => {
        copied.value = true
      },
      () => {
        copied.value = false
      },
    )
  }
  return (
    <>
      <code class="trace-id">{traceId}</code>{' '}
      <button type="button" class="quiet small" onClick={copy} aria-label={traceWords.copyLabel}>
        {copied.value ? traceWords.copied : traceWords.copy}
      </button>
    </>
  )
}
