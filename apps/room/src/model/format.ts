/** Numbers for people: three digits are enough, units are short. */

/** Bytes in powers of 1000, as browsers and disks count. */
export function formatBytes(bytes: number): string {
  if (bytes < 1000) return `${Math.round(bytes)} B`
  const units = ['kB', 'MB', 'GB', 'TB']
  let value = bytes / 1000
  let unit = 0
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000
    unit += 1
  }
  return `${value.toPrecision(value < 999.5 ? 3 : 4)} ${units[unit] ?? 'TB'}`
}

/** 0 to 9,999 in full, then 12.3 k, 4.56 M. */
export function formatCount(count: number): string {
  const whole = Math.round(count)
  if (whole < 10_000) return whole.toLocaleString('en')
  if (whole < 999_500) return `${(whole / 1000).toPrecision(3)} k`
  if (whole < 999_500_000) return `${(whole / 1e6).toPrecision(3)} M`
  return `${(whole / 1e9).toPrecision(3)} G`
}

export function formatDuration(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`
  if (ms < 99_950) return `${(ms / 1000).toFixed(1)} s`
  const seconds = Math.round(ms / 1000)
  if (seconds < 5400) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`
  return `${Math.floor(seconds / 3600)} h ${Math.round((seconds % 3600) / 60)} min`
}

/** Returns of episodes: one digit below 100, none above. */
export function formatReturn(value: number | undefined): string {
  if (value === undefined || !Number.isFinite(value)) return '–'
  return (Math.abs(value) < 100 ? value.toFixed(1) : value.toFixed(0)).replace('-', '−')
}

export function plural(count: number, one: string, many = `${one}s`): string {
  return `${formatCount(count)} ${count === 1 ? one : many}`
}
