/** The answer, or undefined where the topic is not there: the client has no code for that, only this text. */
export async function unlessUnknown<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer
  } catch (error) {
    if (error instanceof Error && error.message.startsWith('Unknown topic')) return undefined
    throw error
  }
}
