// Export and import of conversations as JSON. What is exported and imported again is the same.
import { chats } from './chats.svelte'
import { newId, store } from './db'
import { S } from './strings'
import type { Attachment, Conversation, Message, Stats, ToolCall } from './types'

const FORMAT = 'hadal-conversations'
const MOST_BYTES = 200 * 1024 * 1024

// Keys in one order, so that equal conversations are equal texts.
function canonical(value: unknown, indent?: number): string {
  return JSON.stringify(value, (_, each) => (each && typeof each === 'object' && !Array.isArray(each)
    ? Object.fromEntries(Object.entries(each).sort(([a], [b]) => (a < b ? -1 : 1)))
    : each), indent)
}

type Exported = Conversation & { messages: Omit<Message, 'conversation'>[] }

export async function exportText(ids?: string[]): Promise<string> {
  const messages = await store.allMessages()
  const conversations: Exported[] = (await store.conversations())
    .filter((each) => !ids || ids.includes(each.id))
    .sort((a, b) => a.created - b.created || (a.id < b.id ? -1 : 1))
    .map((conversation) => ({
      ...conversation,
      messages: messages.filter((each) => each.conversation === conversation.id)
        .sort((a, b) => a.created - b.created || (a.id < b.id ? -1 : 1))
        .map(({ conversation: _, ...rest }) => rest),
    }))
  return canonical({ format: FORMAT, version: 1, conversations }, 1) + '\n'
}

export function download(name: string, text: string): void {
  const link = document.createElement('a')
  link.href = URL.createObjectURL(new Blob([text], { type: 'application/json' }))
  link.download = name
  link.click()
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000)
}

class Wrong extends Error {}

function text(value: unknown, what: string): string {
  if (typeof value !== 'string') throw new Wrong(S.importField(what))
  return value
}

function optional<T>(value: unknown, read: (value: unknown) => T): T | undefined {
  return value === undefined ? undefined : read(value)
}

function time(value: unknown): number {
  if (typeof value !== 'number' || !Number.isFinite(value)) throw new Wrong(S.importField('created'))
  return value
}

function list<T>(value: unknown, what: string, read: (value: any) => T): T[] {
  if (!Array.isArray(value)) throw new Wrong(S.importField(what))
  return value.map(read)
}

// Only what is defined, so that absent fields stay absent.
function defined<T extends object>(value: T): T {
  return Object.fromEntries(Object.entries(value).filter(([, each]) => each !== undefined)) as T
}

function stats(value: any): Stats {
  const names: (keyof Stats)[] = ['prompt_tokens', 'completion_tokens', 'reasoning_tokens', 'cached_tokens',
    'first_token_ms', 'tokens_per_second', 'prompt_tokens_per_second']
  return defined(Object.fromEntries(names.map((name) => [name, typeof value?.[name] === 'number' ? value[name] : undefined])))
}

function message(value: any, conversation: string): Message {
  const role = text(value?.role, 'role')
  if (role !== 'user' && role !== 'assistant') throw new Wrong(S.importField('role'))
  return defined<Message>({
    id: text(value.id, 'id'),
    conversation,
    parent: value.parent === null ? null : text(value.parent, 'parent'),
    role,
    content: text(value.content, 'content'),
    created: time(value.created),
    attachments: optional(value.attachments, (all) => list<Attachment>(all, 'attachments', (each) => ({ name: text(each?.name, 'name'), text: text(each?.text, 'text') }))),
    reasoning: optional(value.reasoning, (each) => text(each, 'reasoning')),
    reasoning_ms: optional(value.reasoning_ms, time),
    tools: optional(value.tools, (all) => list<ToolCall>(all, 'tools', (each) => ({ name: text(each?.name, 'name'), arguments: text(each?.arguments, 'arguments') }))),
    model: optional(value.model, (each) => text(each, 'model')),
    finish: optional(value.finish, (each) => text(each, 'finish')),
    error: optional(value.error, (each: any) => ({ kind: text(each?.kind, 'kind') as never, message: text(each?.message, 'message') })),
    stats: optional(value.stats, stats),
  } as Message)
}

function conversation(value: any): { owner: Conversation; messages: Message[] } {
  const id = text(value?.id, 'id')
  const chosen: Record<string, string> = {}
  for (const [parent, child] of Object.entries(value.chosen ?? {})) chosen[parent] = text(child, 'chosen')
  const owner = defined<Conversation>({
    id, title: text(value.title, 'title'), named: value.named === true, created: time(value.created),
    updated: time(value.updated), pinned: value.pinned === true, system: text(value.system, 'system'),
    model: text(value.model, 'model'), chosen, sent_from: optional(value.sent_from, (each) => text(each, 'sent_from')),
  } as Conversation)
  return { owner, messages: list(value.messages, 'messages', (each) => message(each, id)) }
}

// Fresh ids throughout, for a conversation whose id is taken by another one.
function renamed(owner: Conversation, messages: Message[]): { owner: Conversation; messages: Message[] } {
  const ids = new Map<string, string>([['root', 'root'], [owner.id, newId()]])
  const fresh = (id: string) => ids.get(id) ?? ids.set(id, newId()).get(id)!
  return {
    owner: {
      ...owner,
      id: fresh(owner.id),
      chosen: Object.fromEntries(Object.entries(owner.chosen).map(([parent, child]) => [fresh(parent), fresh(child)])),
      ...(owner.sent_from ? { sent_from: fresh(owner.sent_from) } : {}),
    },
    messages: messages.map((each) => ({ ...each, id: fresh(each.id), conversation: fresh(owner.id), parent: each.parent === null ? null : fresh(each.parent) })),
  }
}

// Reads everything before anything is kept. Returns how many conversations came in; throws an Error
// whose message is for the user.
export async function importText(source: string): Promise<number> {
  if (source.length > MOST_BYTES) throw new Error(S.importTooLarge)
  let parsed: any
  try {
    parsed = JSON.parse(source)
  } catch {
    throw new Error(S.importNotJson)
  }
  if (parsed?.format !== FORMAT || parsed.version !== 1) throw new Error(S.importFormat)
  const known = new Map(JSON.parse(await exportText()).conversations.map((each: Exported) => [each.id, canonical(each)]))
  const found = list(parsed.conversations, 'conversations', (each) => ({ ...conversation(each), before: known.get(each.id), now: canonical(each) }))
  const fresh = found.filter((each) => each.before !== each.now).map((each) => (each.before ? renamed(each.owner, each.messages) : each))
  await store.save(fresh.map((each) => each.owner), fresh.flatMap((each) => each.messages))
  await chats.reload()
  return fresh.length
}
