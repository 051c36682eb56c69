/** Sends each worker the message, all at once; the sum of what they answer. */
export async function askAll(workers: readonly Worker[], message: unknown): Promise<number> {
  const answers = await Promise.all(
    workers.map(
      (worker) =>
        new Promise<number>((resolve) => {
          worker.onmessage = ({ data }: MessageEvent<number>) => resolve(data)
          worker.postMessage(message)
        }),
    ),
  )
  return answers.reduce((sum, each) => sum + each, 0)
}
