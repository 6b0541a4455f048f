/** Runs tasks one after the other, in the order in which they were given. A task that fails does not stop the next. */
export interface Serial {
  run<T>(task: () => Promise<T>): Promise<T>
}

export function createSerial(): Serial {
  let tail: Promise<unknown> = Promise.resolve()
  return {
    run: (task) => {
      const done = tail.then(task)
      tail = done.catch(() => undefined)
      return done
    },
  }
}
