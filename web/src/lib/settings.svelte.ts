// What the user chose. Sampling values that are not set are not sent, so the server's defaults hold.
import { store } from './db'

export type Thinking = 'default' | 'off' | 'low' | 'medium' | 'high' | 'max'
export const THINKING: Thinking[] = ['default', 'off', 'low', 'medium', 'high', 'max']
export type Theme = 'system' | 'light' | 'dark'

export interface Sampling {
  temperature?: number
  top_p?: number
  top_k?: number
  min_p?: number
  max_tokens?: number
  seed?: number
  frequency_penalty?: number
  presence_penalty?: number
}

export interface Generation {
  sampling: Sampling
  stop: string[]
  thinking: Thinking
  format: 'text' | 'json_object' | 'json_schema'
  schema: string
}

export interface Preset {
  name: string
  generation: Generation
}

export interface Field {
  key: keyof Sampling
  min: number
  max: number
  step: number
}

export const FIELDS: Field[] = [
  { key: 'temperature', min: 0, max: 2, step: 0.05 },
  { key: 'top_p', min: 0, max: 1, step: 0.01 },
  { key: 'top_k', min: 0, max: 1000, step: 1 },
  { key: 'min_p', min: 0, max: 1, step: 0.01 },
  { key: 'max_tokens', min: 1, max: 1_000_000, step: 1 },
  { key: 'seed', min: 0, max: 2 ** 53 - 1, step: 1 },
  { key: 'frequency_penalty', min: -2, max: 2, step: 0.1 },
  { key: 'presence_penalty', min: -2, max: 2, step: 0.1 },
]

export function plainGeneration(sampling: Sampling = {}): Generation {
  return { sampling, stop: [], thinking: 'default', format: 'text', schema: '' }
}

export const PRESETS: Preset[] = [
  { name: 'Server defaults', generation: plainGeneration() },
  { name: 'Precise', generation: plainGeneration({ temperature: 0 }) },
  { name: 'Balanced', generation: plainGeneration({ temperature: 0.7, top_p: 0.95 }) },
  { name: 'Creative', generation: plainGeneration({ temperature: 1.1, top_p: 0.98, min_p: 0.03 }) },
]

class Settings {
  theme = $state<Theme>('system')
  generation = $state<Generation>(plainGeneration())
  presets = $state<Preset[]>([])
  system = $state('')  // for new conversations
  sidebar = $state(true)

  async load(): Promise<void> {
    try {
      const theme = localStorage.getItem('hadal-theme')
      if (theme === 'light' || theme === 'dark') this.theme = theme
    } catch { /* storage is off */ }
    const saved = await store.value<Partial<Settings>>('settings')
    if (!saved) return
    this.generation = { ...plainGeneration(), ...saved.generation }
    this.presets = saved.presets ?? []
    this.system = saved.system ?? ''
    this.sidebar = saved.sidebar ?? true
  }

  save(): Promise<void> {
    return store.setValue('settings', $state.snapshot({
      generation: this.generation, presets: this.presets, system: this.system, sidebar: this.sidebar,
    }))
  }

  setTheme(theme: Theme): void {
    this.theme = theme
    try {
      if (theme === 'system') localStorage.removeItem('hadal-theme')
      else localStorage.setItem('hadal-theme', theme)
    } catch { /* storage is off: it holds for this visit */ }
    this.applyTheme()
  }

  applyTheme(): void {
    const dark = this.theme === 'dark' || (this.theme === 'system' && matchMedia('(prefers-color-scheme: dark)').matches)
    document.documentElement.dataset.theme = dark ? 'dark' : 'light'
  }

  use(generation: Generation): void {
    this.generation = structuredClone($state.snapshot(generation)) as Generation
    void this.save()
  }

  addPreset(name: string): void {
    const generation = $state.snapshot(this.generation) as Generation
    this.presets = [...this.presets.filter((each) => each.name !== name), { name, generation }]
    void this.save()
  }

  removePreset(name: string): void {
    this.presets = this.presets.filter((each) => each.name !== name)
    void this.save()
  }
}

export const settings = new Settings()

// The fields of a request that say how to generate. `schema` must be JSON by now.
export function requestFields(generation: Generation): Record<string, unknown> {
  const fields: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(generation.sampling)) {
    if (typeof value === 'number' && Number.isFinite(value)) fields[key] = value
  }
  if (generation.stop.length > 0) fields.stop = [...generation.stop]
  if (generation.thinking === 'off') fields.thinking = { type: 'disabled' }
  else if (generation.thinking !== 'default') {
    fields.thinking = { type: 'enabled' }
    fields.reasoning_effort = generation.thinking
  }
  if (generation.format === 'json_object') fields.response_format = { type: 'json_object' }
  if (generation.format === 'json_schema') {
    fields.response_format = { type: 'json_schema', json_schema: { name: 'answer', schema: JSON.parse(generation.schema || '{}') } }
  }
  return fields
}
