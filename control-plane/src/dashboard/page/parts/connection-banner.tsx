import { connection } from '../state/live.ts'
import { words } from '../strings.ts'

export function ConnectionBanner() {
  return (
    <div role="alert" class="banner-place">
      {connection.value === 'lost' && <p class="banner">{words.connectionLost}</p>}
    </div>
  )
}
