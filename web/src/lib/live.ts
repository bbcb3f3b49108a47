// The live figures of the machine. Every field may be missing.
import { ApiError, getJson } from './api'

export interface ExpertLayer {
  layer: number
  counts: number[]
}

export interface Live {
  tokens_per_second?: number
  running?: number
  waiting?: number
  context_used_tokens?: number
  context_tokens?: number
  prefix_hit_tokens?: number
  prompt_tokens?: number
  memory_bytes?: { cache?: number; limit?: number; process?: number }
  experts?: { layers: ExpertLayer[] }
}

const asNumber = (value: unknown) => (typeof value === 'number' && Number.isFinite(value) && value >= 0 ? value : undefined)

function experts(value: any): Live['experts'] {
  if (!Array.isArray(value?.layers)) return undefined
  const layers: ExpertLayer[] = value.layers
    .filter((each: any) => Array.isArray(each?.counts) && each.counts.length > 0)
    .slice(0, 256)
    .map((each: any, index: number) => ({ layer: asNumber(each.layer) ?? index, counts: each.counts.slice(0, 4096).map((n: unknown) => asNumber(n) ?? 0) }))
  return layers.length > 0 ? { layers } : undefined
}

// "absent" where the server has no such route, "down" where it does not answer.
export async function readLive(signal: AbortSignal): Promise<Live | 'absent' | 'down'> {
  let raw: any
  try {
    raw = await getJson('/api/hadal/live?experts=1', signal)
  } catch (error) {
    return error instanceof ApiError && error.status !== 0 && error.status < 500 ? 'absent' : 'down'
  }
  if (typeof raw !== 'object' || raw === null) return 'absent'
  const live: Record<string, unknown> = {}
  for (const name of ['tokens_per_second', 'running', 'waiting', 'context_used_tokens', 'context_tokens', 'prefix_hit_tokens', 'prompt_tokens']) {
    live[name] = asNumber(raw[name])
  }
  live.memory_bytes = { cache: asNumber(raw.memory_bytes?.cache), limit: asNumber(raw.memory_bytes?.limit), process: asNumber(raw.memory_bytes?.process) }
  live.experts = experts(raw.experts)
  return live as Live
}

// What was counted between two looks; the total where nothing was before or nothing happened since.
export function recentExperts(before: ExpertLayer[] | undefined, now: ExpertLayer[]): ExpertLayer[] | undefined {
  if (!before) return now
  const old = new Map(before.map((each) => [each.layer, each.counts]))
  const recent = now.map(({ layer, counts }) => ({ layer, counts: counts.map((n, expert) => Math.max(0, n - (old.get(layer)?.[expert] ?? 0))) }))
  return recent.some((each) => each.counts.some((n) => n > 0)) ? recent : undefined
}
