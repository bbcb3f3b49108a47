// What is kept in the browser. A conversation is a tree of messages: every edit and every
// regeneration is a sibling, and `chosen` says which child is shown.

export interface Attachment {
  name: string
  text: string
}

export interface ToolCall {
  name: string
  arguments: string
}

export interface Stats {
  prompt_tokens?: number
  completion_tokens?: number
  reasoning_tokens?: number
  cached_tokens?: number
  first_token_ms?: number
  tokens_per_second?: number
  prompt_tokens_per_second?: number
}

export type Role = 'user' | 'assistant'

export interface Message {
  id: string
  conversation: string
  parent: string | null
  role: Role
  content: string
  created: number
  attachments?: Attachment[]
  reasoning?: string
  reasoning_ms?: number
  tools?: ToolCall[]
  model?: string
  // Why the answer ended: the server's finish_reason, or "stopped" (by the user), "interrupted"
  // (the connection broke) or "refused" (an error before the first token). Absent while it runs.
  finish?: string
  error?: Failure
  stats?: Stats
}

export interface Conversation {
  id: string
  title: string
  // Whether the user named it; otherwise the first message does.
  named: boolean
  created: number
  updated: number
  pinned: boolean
  system: string
  model: string
  chosen: Record<string, string>
  // Messages of the shown path before this one are not sent any more (the context was full).
  sent_from?: string
}

export type FailureKind = 'down' | 'key' | 'loading' | 'busy' | 'context' | 'model' | 'refused' | 'server'

export interface Failure {
  kind: FailureKind
  message: string
  retry_after_seconds?: number
}

export interface Model {
  id: string
  context_tokens?: number
  description?: string
  loaded?: boolean  // in memory; absent where the server does not say
}
