// The commands of the API page: one a dialect, ready for a shell.
const quoted = (text: string) => `'${text.replaceAll("'", "'\\''")}'`

export interface Sample {
  dialect: 'openai' | 'deepseek' | 'anthropic' | 'ollama'
  base: string
  command: string
}

// `key` is written as $HADAL_API_KEY, so that a copied command never holds it.
export function samples(origin: string, model: string, withKey: boolean): Sample[] {
  const json = `-H 'content-type: application/json'`
  const bearer = withKey ? ` \\\n  -H "authorization: Bearer $HADAL_API_KEY"` : ''
  const apiKey = withKey ? ` \\\n  -H "x-api-key: $HADAL_API_KEY"` : ''
  const messages = [{ role: 'user', content: 'Why is the sea salty?' }]
  const make = (path: string, head: string, body: object) => `curl ${origin}${path} ${json}${head} \\\n  -d ${quoted(JSON.stringify(body))}`
  return [
    { dialect: 'openai', base: `${origin}/v1`, command: make('/v1/chat/completions', bearer, { model, messages, stream: true }) },
    { dialect: 'deepseek', base: origin, command: make('/chat/completions', bearer, { model, messages, thinking: { type: 'disabled' }, stream: true }) },
    { dialect: 'anthropic', base: origin, command: make('/v1/messages', `${apiKey} \\\n  -H 'anthropic-version: 2023-06-01'`, { model, max_tokens: 400, messages, stream: true }) },
    { dialect: 'ollama', base: origin, command: make('/api/chat', bearer, { model, messages }) },
  ]
}
