// Numbers and times as people read them.
export function count(value: number): string {
  return Math.round(value).toLocaleString('en')
}

export function rate(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toFixed(1)
}

export function bytes(value: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
  let unit = 0
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024
    ++unit
  }
  return `${value >= 100 || unit === 0 ? value.toFixed(0) : value.toFixed(1)} ${units[unit]}`
}

export function duration(milliseconds: number): string {
  const seconds = milliseconds / 1000
  if (seconds < 10) return `${seconds.toFixed(1)} s`
  if (seconds < 60) return `${Math.round(seconds)} s`
  return `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`
}

export type Age = 'today' | 'yesterday' | 'week' | 'older'

export function ageOf(time: number, now = new Date()): Age {
  const midnight = new Date(now.getFullYear(), now.getMonth(), now.getDate()).getTime()
  const day = 86_400_000
  if (time >= midnight) return 'today'
  if (time >= midnight - day) return 'yesterday'
  return time >= midnight - 7 * day ? 'week' : 'older'
}
