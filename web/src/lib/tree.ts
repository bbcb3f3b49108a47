// Branches of a conversation, as pure functions over its messages.
import type { Conversation, Message } from './types'

export const ROOT = 'root'

export function childrenOf(messages: Message[], parent: string | null): Message[] {
  return messages.filter((each) => each.parent === parent)
}

// The shown messages from the first to the last: the chosen child at every step, the newest where
// none was chosen.
export function shownPath(conversation: Conversation, messages: Message[]): Message[] {
  const byParent = new Map<string, Message[]>()
  for (const each of messages) {
    const key = each.parent ?? ROOT
    const list = byParent.get(key)
    if (list) list.push(each)
    else byParent.set(key, [each])
  }
  const path: Message[] = []
  let key = ROOT
  for (let steps = 0; steps <= messages.length; ++steps) {
    const choices = byParent.get(key)
    if (!choices) break
    const next = choices.find((each) => each.id === conversation.chosen[key]) ?? choices[choices.length - 1]!
    path.push(next)
    key = next.id
  }
  return path
}

// The message and all that follows it.
export function withDescendants(messages: Message[], id: string): Set<string> {
  const gone = new Set([id])
  let grew = true
  while (grew) {
    grew = false
    for (const each of messages) {
      if (each.parent !== null && gone.has(each.parent) && !gone.has(each.id)) {
        gone.add(each.id)
        grew = true
      }
    }
  }
  return gone
}

// The part of the path that is sent to the model.
export function sentPart(conversation: Conversation, path: Message[]): Message[] {
  const from = path.findIndex((each) => each.id === conversation.sent_from)
  return from > 0 ? path.slice(from) : path
}

// Where to start sending so that about half of the turns stay; undefined where one turn is left.
export function trimPoint(conversation: Conversation, path: Message[]): string | undefined {
  const turns = sentPart(conversation, path).filter((each) => each.role === 'user')
  if (turns.length < 2) return undefined
  return turns[Math.ceil(turns.length / 2)]!.id
}

export function titleOf(text: string): string {
  const line = text.split('\n').map((each) => each.replace(/^[#>*\-\s]+/, '').trim()).find((each) => each !== '') ?? ''
  if (line.length <= 60) return line
  const cut = line.slice(0, 60)
  const blank = cut.lastIndexOf(' ')
  return (blank > 30 ? cut.slice(0, blank) : cut) + '\u2026'
}
