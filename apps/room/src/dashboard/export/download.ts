/** Hands the browser a file. */
export function download(name: string, type: string, text: string): void {
  const url = URL.createObjectURL(new Blob([text], { type }))
  const link = document.createElement('a')
  link.href = url
  link.download = name
  document.body.append(link)
  link.click()
  link.remove()
  // The browser has taken it by the next turn; some read it later.
  setTimeout(() => URL.revokeObjectURL(url), 60_000)
}
