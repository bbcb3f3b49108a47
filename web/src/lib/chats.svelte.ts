// The conversations: reading, changing and keeping them. Answers are made in generate.svelte.ts.
import { newId, store } from './db'
import { settings } from './settings.svelte'
import { ROOT, shownPath, titleOf, withDescendants } from './tree'
import type { Attachment, Conversation, Message } from './types'

const LAST_OPEN = 'hadal-open'
const others = typeof BroadcastChannel === 'undefined' ? undefined : new BroadcastChannel('hadal')

class Chats {
  list = $state<Conversation[]>([])  // newest first
  openId = $state<string | null>(null)
  loaded = $state<Record<string, Message[]>>({})
  drafts = $state<Record<string, string>>({})
  ready = $state(false)
  persistent = $state(true)
  private going = new Set<string>()  // conversations whose removal has begun: not saved any more

  open = $derived(this.list.find((each) => each.id === this.openId))
  messages = $derived(this.openId ? (this.loaded[this.openId] ?? []) : [])
  path = $derived(this.open ? shownPath(this.open, this.messages) : [])

  async load(): Promise<void> {
    this.list = (await store.conversations()).sort((a, b) => b.updated - a.updated)
    this.drafts = (await store.value<Record<string, string>>('drafts')) ?? {}
    this.persistent = store.persistent
    let last: string | null = null
    try {
      last = sessionStorage.getItem(LAST_OPEN)
    } catch { /* storage is off */ }
    if (last && this.list.some((each) => each.id === last)) await this.select(last)
    this.ready = true
    others?.addEventListener('message', () => void this.reload())
  }

  // Another tab changed something: read again what this one does not work on.
  async reload(): Promise<void> {
    this.list = (await store.conversations()).sort((a, b) => b.updated - a.updated)
    if (this.openId && !this.list.some((each) => each.id === this.openId)) this.openId = null
    for (const id of Object.keys(this.loaded)) {
      if (this.loaded[id]!.every((each) => each.role === 'user' || each.finish)) this.loaded[id] = await this.read(id)
    }
  }

  private async read(id: string): Promise<Message[]> {
    const messages = await store.messages(id)
    messages.sort((a, b) => a.created - b.created || (a.id < b.id ? -1 : 1))
    for (const each of messages) {
      if (each.role === 'assistant' && !each.finish) each.finish = 'interrupted'
    }
    return messages
  }

  async messagesOf(id: string): Promise<Message[]> {
    this.loaded[id] ??= await this.read(id)
    return this.loaded[id]!
  }

  async select(id: string | null): Promise<void> {
    if (id) await this.messagesOf(id)
    this.openId = id
    try {
      if (id) sessionStorage.setItem(LAST_OPEN, id)
      else sessionStorage.removeItem(LAST_OPEN)
    } catch { /* storage is off */ }
  }

  conversation(id: string): Conversation | undefined {
    return this.list.find((each) => each.id === id)
  }

  async create(model: string): Promise<Conversation> {
    const now = Date.now()
    const made: Conversation = { id: newId(), title: '', named: false, created: now, updated: now, pinned: false,
      system: settings.system, model, chosen: {} }
    this.list.unshift(made)
    this.loaded[made.id] = []
    await this.save(made.id)
    return this.list[0]!
  }

  // Adds a message and shows it.
  add(conversation: string, parent: string | null, part: Pick<Message, 'role' | 'content'> & { attachments?: Attachment[]; model?: string }): Message {
    const owner = this.conversation(conversation)!
    const messages = this.loaded[conversation]!
    const created = Math.max(Date.now(), (messages[messages.length - 1]?.created ?? 0) + 1)
    messages.push({ id: newId(), conversation, parent, created, ...part })
    const made = messages[messages.length - 1]!
    owner.chosen[parent ?? ROOT] = made.id
    if (!owner.named && part.role === 'user' && parent === null) {
      owner.title = titleOf(part.content) || part.attachments?.[0]?.name || ''
    }
    this.touch(owner)
    void this.save(conversation, [made])
    return made
  }

  choose(message: Message): void {
    const owner = this.conversation(message.conversation)
    if (!owner) return
    owner.chosen[message.parent ?? ROOT] = message.id
    void this.save(owner.id)
  }

  touch(conversation: Conversation): void {
    conversation.updated = Date.now()
    this.list.sort((a, b) => b.updated - a.updated)
  }

  async save(conversation: string, messages: Message[] = []): Promise<void> {
    const owner = this.conversation(conversation)
    if (!owner || this.going.has(conversation)) return
    await store.save([$state.snapshot(owner)], messages.map((each) => $state.snapshot(each) as Message))
    others?.postMessage('changed')
  }

  async removeMessage(message: Message): Promise<void> {
    const gone = withDescendants(this.loaded[message.conversation] ?? [], message.id)
    this.loaded[message.conversation] = this.loaded[message.conversation]!.filter((each) => !gone.has(each.id))
    const owner = this.conversation(message.conversation)!
    for (const [parent, child] of Object.entries(owner.chosen)) {
      if (gone.has(parent) || gone.has(child)) delete owner.chosen[parent]
    }
    if (owner.sent_from && gone.has(owner.sent_from)) delete owner.sent_from
    await store.removeMessages(gone)
    await this.save(owner.id)
  }

  // What is shown as gone is gone, also where the page is left at once.
  async remove(id: string): Promise<void> {
    this.going.add(id)
    await store.removeConversation(id)
    if (this.openId === id) await this.select(null)
    this.list = this.list.filter((each) => each.id !== id)
    delete this.loaded[id]
    this.setDraft(id, '')
    others?.postMessage('changed')
  }

  async removeAll(): Promise<void> {
    await this.select(null)
    this.list = []
    this.loaded = {}
    this.drafts = {}
    await store.removeAll()
    await store.setValue('drafts', {})
    others?.postMessage('changed')
  }

  async rename(id: string, title: string): Promise<void> {
    const owner = this.conversation(id)
    if (!owner || title.trim() === '') return
    owner.title = title.trim().slice(0, 200)
    owner.named = true
    await this.save(id)
  }

  // Drafts are kept under the conversation's id, or under "new".
  setDraft(id: string | null, text: string): void {
    const name = id ?? 'new'
    if ((this.drafts[name] ?? '') === text) return
    if (text === '') delete this.drafts[name]
    else this.drafts[name] = text
    void store.setValue('drafts', $state.snapshot(this.drafts))
  }

  async search(words: string): Promise<{ conversation: Conversation; excerpt: string }[]> {
    const wanted = words.toLowerCase().split(/\s+/).filter((each) => each !== '')
    if (wanted.length === 0) return this.list.map((conversation) => ({ conversation, excerpt: '' }))
    const texts = new Map<string, string[]>()
    for (const each of await store.allMessages()) {
      const list = texts.get(each.conversation)
      if (list) list.push(each.content)
      else texts.set(each.conversation, [each.content])
    }
    const found = []
    for (const conversation of this.list) {
      const body = (texts.get(conversation.id) ?? []).join('\n')
      const lower = `${conversation.title}\n${body}`.toLowerCase()
      if (!wanted.every((word) => lower.includes(word))) continue
      const at = body.toLowerCase().indexOf(wanted[0]!)
      const excerpt = at < 0 ? '' : (at > 30 ? '\u2026' : '') + body.slice(Math.max(0, at - 30), at + 90).replace(/\s+/g, ' ')
      found.push({ conversation, excerpt })
    }
    return found
  }
}

export const chats = new Chats()
