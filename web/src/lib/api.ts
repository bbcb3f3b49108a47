// The server, as the page sees it: OpenAI's chat completions with DeepSeek's additions.
import { key } from './key.svelte'
import { S } from './strings'
import type { Failure, FailureKind, Model } from './types'

export class ApiError extends Error {
  constructor(readonly failure: Failure, readonly status = 0) {
    super(failure.message)
  }
}

function headers(): Record<string, string> {
  const all: Record<string, string> = { 'content-type': 'application/json' }
  if (key.value !== '') all.authorization = `Bearer ${key.value}`
  return all
}

function kindOf(status: number, code: string): FailureKind {
  if (status === 401) return 'key'
  if (code === 'context_length_exceeded' || code === 'exceed_context_size_error') return 'context'
  if (code === 'model_loading' || (status === 503 && /load/.test(code))) return 'loading'
  if (status === 429 || status === 503 || status === 529) return 'busy'
  if (status === 404) return 'model'
  return status >= 500 ? 'server' : 'refused'
}

async function failureOf(response: Response): Promise<ApiError> {
  let message = ''
  let code = ''
  try {
    const { error } = await response.json()
    message = typeof error === 'string' ? error : String(error?.message ?? '')
    code = String(error?.code ?? error?.type ?? '')
    if (/loading model/i.test(message)) code = 'model_loading'
  } catch { /* not JSON: the status says it */ }
  const seconds = Number.parseFloat(response.headers.get('retry-after') ?? '')
  return new ApiError({
    kind: kindOf(response.status, code),
    message: message || S.status(response.status),
    ...(Number.isFinite(seconds) ? { retry_after_seconds: seconds } : {}),
  }, response.status)
}

async function call(path: string, init: RequestInit = {}): Promise<Response> {
  let response: Response
  try {
    response = await fetch(path, { ...init, headers: headers(), cache: 'no-store', credentials: 'same-origin' })
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error
    throw new ApiError({ kind: 'down', message: S.down })
  }
  if (!response.ok) throw await failureOf(response)
  return response
}

export async function getJson(path: string, signal?: AbortSignal): Promise<unknown> {
  return (await call(path, signal ? { signal } : {})).json()
}

export async function postJson(path: string, body: unknown): Promise<unknown> {
  return (await call(path, { method: 'POST', body: JSON.stringify(body) })).json()
}

const asNumber = (value: unknown) => (typeof value === 'number' && Number.isFinite(value) && value > 0 ? value : undefined)

// Reads a context length from wherever servers put it.
function contextOf(model: Record<string, any>): number | undefined {
  return asNumber(model.context_length) ?? asNumber(model.context_tokens) ?? asNumber(model.max_model_len) ??
    asNumber(model.context_window) ?? asNumber(model.meta?.n_ctx) ?? asNumber(model.meta?.n_ctx_train)
}

export async function listModels(): Promise<Model[]> {
  const answer = (await getJson('/v1/models')) as { data?: Record<string, any>[] }
  return (answer.data ?? []).filter((each) => typeof each.id === 'string').map((each) => {
    const context = contextOf(each)
    const state = each.status?.value
    return {
      id: each.id as string,
      ...(context ? { context_tokens: context } : {}),
      ...(typeof state === 'string' ? { loaded: state === 'loaded' } : {}),
    }
  })
}

// Loads a model, or frees its memory; resolves when it is loaded.
export async function setLoaded(model: string, loaded: boolean): Promise<void> {
  await postJson(loaded ? '/models/load' : '/models/unload', { model })
}

// The context of the model that is loaded, where the server says it.
export async function contextTokens(): Promise<number | undefined> {
  const props = (await getJson('/props')) as Record<string, any>
  return asNumber(props.default_generation_settings?.n_ctx) ?? asNumber(props.n_ctx)
}

export async function healthy(): Promise<'ok' | 'loading' | 'down'> {
  try {
    const response = await fetch('/health', { cache: 'no-store', signal: AbortSignal.timeout(4000) })
    if (response.ok) return 'ok'
    return response.status === 503 ? 'loading' : 'down'
  } catch {
    return 'down'
  }
}

// The data of each server-sent event, parsed; ends at [DONE] or at the end of the stream, and throws
// where the connection breaks.
async function* events(response: Response): AsyncGenerator<any> {
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader()
  let buffer = ''
  let data: string[] = []
  try {
    for (;;) {
      const { done, value } = await reader.read()
      if (done) return
      buffer += value
      const lines = buffer.split(/\r?\n/)
      buffer = lines.pop()!
      for (const line of lines) {
        if (line.startsWith('data:')) data.push(line.slice(5).replace(/^ /, ''))
        if (line !== '' || data.length === 0) continue
        const text = data.join('\n')
        data = []
        if (text.startsWith('[DONE]')) return
        yield JSON.parse(text)
      }
    }
  } finally {
    reader.cancel().catch(() => {})
  }
}

export interface Chunk {
  id?: string
  content?: string
  reasoning?: string
  tools?: { index: number; name: string; arguments: string }[]
  finish?: string
  usage?: Record<string, any>
  timings?: Record<string, any>
}

// Streams an answer. Yields what each event adds; throws ApiError.
export async function* chat(body: Record<string, unknown>, prefix: boolean, signal: AbortSignal): AsyncGenerator<Chunk> {
  const response = await call(prefix ? '/beta/chat/completions' : '/v1/chat/completions', {
    method: 'POST',
    body: JSON.stringify({ ...body, stream: true, stream_options: { include_usage: true } }),
    signal,
  })
  for await (const event of events(response)) {
    if (event.error) {
      const { message, code, type } = event.error
      throw new ApiError({ kind: kindOf(0, String(code ?? type)) === 'context' ? 'context' : 'server', message: String(message ?? S.status(500)) })
    }
    const choice = event.choices?.[0]
    const delta = choice?.delta ?? {}
    const chunk: Chunk = {}
    if (event.id) chunk.id = event.id
    if (delta.content) chunk.content = delta.content
    const reasoning = delta.reasoning_content ?? delta.reasoning
    if (reasoning) chunk.reasoning = reasoning
    if (delta.tool_calls) {
      chunk.tools = delta.tool_calls.map((each: any) => ({
        index: each.index ?? 0, name: each.function?.name ?? '', arguments: each.function?.arguments ?? '',
      }))
    }
    if (choice?.finish_reason) chunk.finish = choice.finish_reason
    if (event.usage) chunk.usage = event.usage
    if (event.timings) chunk.timings = event.timings
    yield chunk
  }
}
