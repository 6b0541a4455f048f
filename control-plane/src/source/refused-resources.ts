import { MeshError } from '@weft/schemas/error'
import type { PositionedFault } from '@weft/schemas/resources'

/** The resources of a request are not right; nothing was changed. Carries every fault. */
export class RefusedResources extends MeshError {
  readonly faults: readonly PositionedFault[]

  constructor(faults: readonly PositionedFault[]) {
    const [first] = faults
    const count = faults.length === 1 ? 'a fault' : `${faults.length} faults`
    super(
      'invalid_resource',
      `the resources have ${count}${first === undefined ? '' : `; the first: ${first.message}`}`,
    )
    this.faults = faults
  }
}
