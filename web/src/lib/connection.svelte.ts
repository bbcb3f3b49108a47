// Whether the server answers. Nothing is asked while all is well; after a failure /health is asked
// until it answers, and what waited goes on.
import { contextTokens, healthy, listModels, setLoaded, ApiError } from './api'
import { announce } from './announce.svelte'
import { store } from './db'
import { S } from './strings'
import type { Model } from './types'

const WAITS_SECONDS = [1, 1, 2, 3, 5, 5, 10]

class Connection {
  status = $state<'ok' | 'loading' | 'down'>('ok')
  needsKey = $state(false)
  models = $state<Model[]>([])
  model = $state('')
  context = $state<number | undefined>()
  restored = $state(false)  // shown for a moment after the server came back
  private waiting: Promise<void> | undefined
  private wake: (() => void) | undefined

  // Reads the models; never throws.
  async refresh(): Promise<void> {
    try {
      this.models = await listModels()
      this.needsKey = false
      const saved = await store.value<string>('model')
      const wanted = this.model || saved
      this.model = this.models.find((each) => each.id === wanted)?.id ?? this.models[0]?.id ?? ''
      await this.readContext()
    } catch (error) {
      this.failed(error)
    }
  }

  pick(model: string): void {
    this.model = model
    void store.setValue('model', model)
  }

  // Says how it went; never throws.
  async setLoaded(model: string, loaded: boolean): Promise<void> {
    if (loaded) announce(S.loadingModel(model))
    try {
      await setLoaded(model, loaded)
      announce(loaded ? S.modelLoaded(model) : S.modelFreed(model))
    } catch (error) {
      if (error instanceof ApiError) announce(error.failure.message)
      this.failed(error)
    }
    await this.refresh()
  }

  contextOf(model: string): number | undefined {
    return this.models.find((each) => each.id === model)?.context_tokens ?? this.context
  }

  failed(error: unknown): void {
    if (!(error instanceof ApiError)) return
    if (error.failure.kind === 'key') this.needsKey = true
    if (error.failure.kind === 'down' || error.failure.kind === 'loading') void this.untilUp(error.failure.kind)
  }

  retryNow(): void {
    this.wake?.()
  }

  // Resolves when the server answers again.
  untilUp(status: 'down' | 'loading' = 'down'): Promise<void> {
    this.waiting ??= this.watch(status).finally(() => { this.waiting = undefined })
    return this.waiting
  }

  private async watch(status: 'down' | 'loading'): Promise<void> {
    this.status = status
    this.restored = false
    announce(status === 'down' ? S.downTitle : S.loadingTitle)
    for (let attempt = 0; ; ++attempt) {
      const seconds = WAITS_SECONDS[Math.min(attempt, WAITS_SECONDS.length - 1)]!
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, seconds * 1000)
        this.wake = () => { clearTimeout(timer); resolve() }
      })
      const now = await healthy()
      if (now === 'ok') break
      this.status = now
    }
    this.status = 'ok'
    this.restored = true
    announce(S.restored)
    setTimeout(() => { this.restored = false }, 4000)
    await this.refreshAfter()
  }

  // Asked for only where the list of models does not say it.
  private async readContext(): Promise<void> {
    if (this.models.every((each) => each.context_tokens !== undefined)) return
    this.context = await contextTokens().catch(() => undefined)
  }

  // Only what the server can have changed; a failure here starts no second watch.
  private async refreshAfter(): Promise<void> {
    try {
      this.models = await listModels()
      if (!this.models.some((each) => each.id === this.model)) this.model = this.models[0]?.id ?? ''
      await this.readContext()
    } catch (error) {
      if (error instanceof ApiError && error.failure.kind === 'key') this.needsKey = true
    }
  }
}

export const connection = new Connection()
