import { draw, EMPTY_LEVEL, type Picker } from './picker.ts'

/** Any endpoint, each as often as the others. Weights do not matter. */
export function random(): Picker {
  let { usable } = EMPTY_LEVEL
  return {
    update(level) {
      usable = level.usable
    },
    pick(_head, tried) {
      const drawn = draw(usable.length)
      const endpoint = usable[drawn]
      return endpoint === tried ? usable[(drawn + 1) % usable.length] : endpoint
    },
  }
}
