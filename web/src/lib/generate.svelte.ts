// Making answers: one run a conversation, which goes on when another conversation is shown.
import { announce, Narrator } from './announce.svelte'
import { ApiError, chat, postJson, type Chunk } from './api'
import { chats } from './chats.svelte'
import { connection } from './connection.svelte'
import { requestFields, settings } from './settings.svelte'
import { S } from './strings'
import { sentPart, shownPath, trimPoint } from './tree'
import type { Attachment, Conversation, Failure, Message, Stats } from './types'

const SAVE_EVERY_MS = 1000
const MOST_BUSY_RETRIES = 6
const MOST_RETRIES = 20

export interface Run {
  message: string
  phase: 'waiting' | 'sent' | 'thinking' | 'answering'
  // With "waiting": for what, and until when (Date.now()), where that is known.
  why?: 'down' | 'loading' | 'busy'
  until?: number
  thinking_since?: number
  answer_id?: string  // the server's
}

class Runs {
  by = $state<Record<string, Run>>({})
}

export const runs = new Runs()
const aborts = new Map<string, AbortController>()

export function stop(conversation: string): void {
  aborts.get(conversation)?.abort()
}

export function fenced(attachment: Attachment): string {
  const longest = Math.max(2, ...(attachment.text.match(/`+/g) ?? []).map((each) => each.length))
  const fence = '`'.repeat(longest + 1)
  return `File ${attachment.name}:\n${fence}\n${attachment.text.replace(/\n$/, '')}\n${fence}`
}

function contentOf(message: Message): string {
  return [...(message.attachments ?? []).map(fenced), message.content].filter((each) => each !== '').join('\n\n')
}

// What is sent for an answer: the path up to it, and the answer so far where it is to be continued.
function requestMessages(conversation: Conversation, answer: Message, proceed: boolean): object[] {
  const path = shownPath(conversation, chats.loaded[conversation.id]!)
  const before = path.slice(0, path.findIndex((each) => each.id === answer.id))
  const messages: object[] = conversation.system.trim() === '' ? [] : [{ role: 'system', content: conversation.system }]
  for (const each of sentPart(conversation, before)) {
    if (each.role === 'user') messages.push({ role: 'user', content: contentOf(each) })
    else if (each.content !== '') messages.push({ role: 'assistant', content: each.content })
  }
  if (proceed) messages.push({ role: 'assistant', content: answer.content, prefix: true })
  return messages
}

// Collects what came and hands it on once a frame; where the page is hidden there are no frames.
class Batch {
  private content = ''
  private reasoning = ''
  private asked = false

  constructor(private readonly apply: (content: string, reasoning: string) => void) {}

  add(chunk: Chunk): void {
    this.content += chunk.content ?? ''
    this.reasoning += chunk.reasoning ?? ''
    if (this.asked || (this.content === '' && this.reasoning === '')) return
    this.asked = true
    if (document.hidden) setTimeout(() => this.flush(), 200)
    else requestAnimationFrame(() => this.flush())
  }

  flush(): void {
    this.asked = false
    if (this.content === '' && this.reasoning === '') return
    const { content, reasoning } = this
    this.content = this.reasoning = ''
    this.apply(content, reasoning)
  }
}

const asNumber = (value: unknown) => (typeof value === 'number' && Number.isFinite(value) ? value : undefined)

interface Clock { sent: number; first?: number }

function statsOf(usage: Record<string, any> | undefined, timings: Record<string, any> | undefined, clock: Clock): Stats {
  const now = performance.now()
  const completion = asNumber(usage?.completion_tokens)
  const seconds = clock.first === undefined ? 0 : (now - clock.first) / 1000
  const measured = completion && completion > 1 && seconds > 0 ? (completion - 1) / seconds : undefined
  const stats: Stats = {}
  const put = (name: keyof Stats, value: number | undefined) => { if (value !== undefined) stats[name] = value }
  put('prompt_tokens', asNumber(usage?.prompt_tokens))
  put('completion_tokens', completion)
  put('reasoning_tokens', asNumber(usage?.completion_tokens_details?.reasoning_tokens))
  put('cached_tokens', asNumber(usage?.prompt_tokens_details?.cached_tokens) ?? asNumber(usage?.prompt_cache_hit_tokens) ?? asNumber(timings?.cache_n))
  put('first_token_ms', clock.first === undefined ? undefined : clock.first - clock.sent)
  put('tokens_per_second', asNumber(timings?.predicted_per_second) ?? measured)
  put('prompt_tokens_per_second', asNumber(timings?.prompt_per_second))
  return stats
}

function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds)
    signal.addEventListener('abort', () => { clearTimeout(timer); resolve() }, { once: true })
  })
}

function chosenFields(): Record<string, unknown> {
  try {
    return requestFields(settings.generation)
  } catch {
    throw new ApiError({ kind: 'refused', message: S.schemaNotJson })
  }
}

// One attempt. Throws ApiError, or an AbortError when stopped.
async function attempt(conversation: Conversation, answer: Message, run: Run, proceed: boolean, signal: AbortSignal): Promise<void> {
  // A message that was written before the models were known.
  answer.model ||= connection.model
  const body = { model: answer.model, messages: requestMessages(conversation, answer, proceed), ...chosenFields() }
  const clock: Clock = { sent: performance.now() }
  const narrator = new Narrator(answer.content.length)
  let saved = performance.now()
  let usage: Chunk['usage']
  let timings: Chunk['timings']
  const batch = new Batch((content, reasoning) => {
    if (reasoning !== '') {
      run.thinking_since ??= Date.now()
      run.phase = 'thinking'
      answer.reasoning = (answer.reasoning ?? '') + reasoning
    }
    if (content !== '') {
      if (run.thinking_since !== undefined) answer.reasoning_ms ??= Date.now() - run.thinking_since
      run.phase = 'answering'
      answer.content += content
      narrator.follow(answer.content)
    }
    if (performance.now() - saved > SAVE_EVERY_MS) {
      saved = performance.now()
      void chats.save(conversation.id, [answer])
    }
  })
  try {
    run.phase = 'sent'
    delete run.why
    delete run.until
    for await (const chunk of chat(body, proceed, signal)) {
      if (chunk.id) run.answer_id = chunk.id
      if (chunk.content || chunk.reasoning) clock.first ??= performance.now()
      for (const { index, name, arguments: text } of chunk.tools ?? []) {
        answer.tools ??= []
        answer.tools[index] ??= { name: '', arguments: '' }
        answer.tools[index].name += name
        answer.tools[index].arguments += text
      }
      batch.add(chunk)
      if (chunk.finish) answer.finish = chunk.finish
      usage = chunk.usage ?? usage
      timings = chunk.timings ?? timings
    }
    batch.flush()
    answer.finish ??= 'interrupted'
    narrator.finish(answer.content, answer.finish === 'interrupted' ? S.interrupted : S.answerEnded)
  } finally {
    batch.flush()
    if (run.thinking_since !== undefined) answer.reasoning_ms ??= Date.now() - run.thinking_since
    const stats = statsOf(usage, timings, clock)
    if (Object.keys(stats).length > 0) answer.stats = stats
  }
}

function lengthOf(answer: Message): number {
  return answer.content.length + (answer.reasoning ?? '').length
}

// Waits where waiting helps. False where the failure is final.
async function wait(failure: Failure, tries: number, run: Run, signal: AbortSignal): Promise<boolean> {
  if (tries >= MOST_RETRIES) return false
  run.phase = 'waiting'
  if (failure.kind === 'down' || failure.kind === 'loading') {
    run.why = failure.kind
    await Promise.race([connection.untilUp(failure.kind), pause(2 ** 31 - 1, signal)])
    return true
  }
  if (failure.kind !== 'busy' || tries >= MOST_BUSY_RETRIES) return false
  const milliseconds = Math.min(60, Math.max(1, failure.retry_after_seconds ?? 2 ** tries)) * 1000
  run.why = 'busy'
  run.until = Date.now() + milliseconds
  await pause(milliseconds, signal)
  return true
}

async function answerInto(conversation: Conversation, answer: Message, proceed: boolean): Promise<void> {
  const abort = new AbortController()
  aborts.get(conversation.id)?.abort()
  aborts.set(conversation.id, abort)
  runs.by[conversation.id] = { message: answer.id, phase: 'sent' }
  const run = runs.by[conversation.id]!
  delete answer.finish
  delete answer.error
  if (!proceed) {
    delete answer.reasoning
    delete answer.reasoning_ms
    delete answer.tools
  }
  const before = lengthOf(answer)
  announce(S.answerBegins)
  for (let tries = 0; ; ++tries) {
    try {
      await attempt(conversation, answer, run, proceed, abort.signal)
      break
    } catch (error) {
      if (abort.signal.aborted) {
        answer.finish = 'stopped'
        announce(S.stopped)
        break
      }
      // Anything that is not the server's word is a connection that broke.
      const failure: Failure = error instanceof ApiError ? error.failure : { kind: 'down', message: S.down }
      if (lengthOf(answer) > before) {
        answer.finish = 'interrupted'
        if (error instanceof ApiError && failure.kind !== 'down') answer.error = failure
        else void connection.untilUp()
        announce(S.interrupted)
        break
      }
      if (await wait(failure, tries, run, abort.signal)) {
        if (!abort.signal.aborted) continue
        answer.finish = 'stopped'
        break
      }
      connection.failed(error)
      answer.finish = 'refused'
      answer.error = failure
      announce(failure.message)
      break
    }
  }
  if (aborts.get(conversation.id) === abort) {
    aborts.delete(conversation.id)
    delete runs.by[conversation.id]
  }
  chats.touch(conversation)
  await chats.save(conversation.id, [answer])
}

// Sends a message at the end of the shown path, in a new conversation where none is open.
export async function send(content: string, attachments: Attachment[]): Promise<void> {
  const owner = chats.open ?? await chats.create(connection.model)
  if (runs.by[owner.id]) return
  const parent = chats.openId === owner.id ? (chats.path[chats.path.length - 1]?.id ?? null) : null
  if (chats.openId !== owner.id) await chats.select(owner.id)
  const asked = chats.add(owner.id, parent, { role: 'user', content, ...(attachments.length > 0 ? { attachments } : {}) })
  await answerTo(asked)
}

export async function answerTo(asked: Message): Promise<void> {
  const owner = chats.conversation(asked.conversation)!
  owner.model = connection.model
  const answer = chats.add(asked.conversation, asked.id, { role: 'assistant', content: '', model: connection.model })
  await answerInto(owner, answer, false)
}

// A new answer beside this one.
export async function regenerate(answer: Message): Promise<void> {
  if (runs.by[answer.conversation]) return
  const asked = chats.loaded[answer.conversation]!.find((each) => each.id === answer.parent)
  if (asked) await answerTo(asked)
}

export async function proceed(answer: Message): Promise<void> {
  if (runs.by[answer.conversation]) return
  const owner = chats.conversation(answer.conversation)!
  await answerInto(owner, answer, answer.content !== '')
}

// The same answer once more, after it was refused; with `trim` without the oldest half of the turns.
export async function again(answer: Message, trim = false): Promise<void> {
  if (runs.by[answer.conversation]) return
  const owner = chats.conversation(answer.conversation)!
  if (trim) {
    const from = trimPoint(owner, shownPath(owner, chats.loaded[owner.id]!))
    if (!from) return
    owner.sent_from = from
  }
  answer.model = connection.model
  await answerInto(owner, answer, answer.content !== '')
}

// An edited user turn becomes a branch with an answer of its own; an edited answer a branch alone.
export async function edit(message: Message, content: string): Promise<void> {
  if (runs.by[message.conversation]) return
  if (message.role === 'user') {
    const asked = chats.add(message.conversation, message.parent, {
      role: 'user', content, ...(message.attachments ? { attachments: $state.snapshot(message.attachments) as Attachment[] } : {}),
    })
    await answerTo(asked)
    return
  }
  const changed = chats.add(message.conversation, message.parent, { role: 'assistant', content, ...(message.model ? { model: message.model } : {}) })
  changed.finish = 'edited'
  await chats.save(message.conversation, [changed])
}

// Asks the server to close the reasoning and to begin the answer.
export async function endThinking(conversation: string): Promise<boolean> {
  const id = runs.by[conversation]?.answer_id
  if (!id) return false
  try {
    await postJson('/v1/chat/completions/control', { id, action: 'reasoning_end' })
    return true
  } catch {
    return false
  }
}
