// A server for the browser tests: serves web/dist with the page's content security policy and answers
// like `hadal serve`, from fixed texts. What it does is chosen by the message:
//   "slow ..."      an answer of many words, ten a second        "think ..."   reasoning first
//   "sample"        Markdown, code, mathematics, a table         "evil"        hostile Markdown
//   "long"          some 10,000 tokens as fast as they go        "tool"        a tool call
//   "busy"          429 twice, then an answer                    "loading"     503 once, then an answer
//   "too long"      context_length_exceeded until fewer turns come
//   "break"         the connection ends in the middle            else          "You said: ..."
import { createReadStream, existsSync, readFileSync, statSync } from 'node:fs'
import http from 'node:http'
import path from 'node:path'

const DIST = path.resolve(import.meta.dirname, '../dist')
const CSP = "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; object-src 'none'"
const TYPES = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml',
  '.woff2': 'font/woff2', '.webmanifest': 'application/manifest+json', '.txt': 'text/plain; charset=utf-8' }
export const SAMPLE = readFileSync(path.join(import.meta.dirname, 'sample.md'), 'utf8')
export const EVIL = readFileSync(path.join(import.meta.dirname, 'evil.md'), 'utf8')
const THOUGHTS = 'The user wants an answer. First, what is asked: a short text. Then how it is said best: plainly. ' .repeat(4)
const LONG = Array.from({ length: 400 }, (_, n) => `Paragraph ${n} has *some* words in it and a \`code\` span, so that it looks like text.\n\n`).join('')

const sleep = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds))
const words = (text) => text.match(/\s*\S+|\s+$/g) ?? []

export class Mock {
  constructor({ key = '' } = {}) {
    this.key = key
    this.requests = []   // bodies of chat requests
    this.controls = []
    this.busy = 0
    this.loading = 0
    this.loaded = new Set(['hadal-small'])
    this.sockets = new Set()
    this.port = 0
  }

  start() {
    this.server = http.createServer((request, response) => void this.answer(request, response))
    this.server.on('connection', (socket) => {
      this.sockets.add(socket)
      socket.on('close', () => this.sockets.delete(socket))
    })
    return new Promise((resolve) => this.server.listen(this.port, '127.0.0.1', () => {
      this.port = this.server.address().port
      resolve(`http://127.0.0.1:${this.port}`)
    }))
  }

  // As a killed process does: every connection breaks.
  stop() {
    for (const socket of this.sockets) socket.destroy()
    return new Promise((resolve) => (this.server?.listening ? this.server.close(resolve) : resolve()))
  }

  async answer(request, response) {
    const url = new URL(request.url, 'http://localhost')
    let body = ''
    for await (const part of request) body += part
    const json = (value, status = 200, headers = {}) => {
      response.writeHead(status, { 'content-type': 'application/json', ...headers })
      response.end(JSON.stringify(value))
    }
    const refuse = (status, code, message, headers) => json({ error: { message, type: 'error', param: null, code } }, status, headers)
    if (url.pathname === '/health') return json({ status: 'ok' })
    if (url.pathname === '/' || url.pathname.startsWith('/assets/')) return this.file(url.pathname, response)
    if (this.key !== '' && request.headers.authorization !== `Bearer ${this.key}`) return refuse(401, 'invalid_api_key', 'A key is needed.')
    switch (url.pathname) {
      case '/v1/models': return json({ object: 'list', data: [['hadal-small', 8192], ['hadal-mixture', 131072]].map(([id, context_length]) => ({ id, object: 'model', created: 1, owned_by: 'hadal', context_length, status: { value: this.loaded.has(id) ? 'loaded' : 'unloaded' } })) })
      case '/models/load': this.loaded.add(JSON.parse(body).model); return json({ success: true })
      case '/models/unload': this.loaded.delete(JSON.parse(body).model); return json({ success: true })
      case '/props': return json({ default_generation_settings: { n_ctx: 8192 }, total_slots: 4 })
      case '/api/show': return json({ license: 'Apache-2.0', details: { format: 'safetensors', family: 'hadal', parameter_size: '135M', quantization_level: 'BF16' }, model_info: { 'general.architecture': 'hadal' }, capabilities: ['completion', 'thinking'] })
      case '/api/tags': return json({ models: [{ name: 'hadal-small', size: 270_000_000, details: {} }] })
      case '/api/ps': return json({ models: [{ name: 'hadal-small' }] })
      case '/api/hadal/live': return json(this.live())
      case '/v1/chat/completions/control':
        this.controls.push(JSON.parse(body))
        this.cut = true
        return json({ success: true })
      case '/v1/chat/completions':
      case '/beta/chat/completions': return this.chat(JSON.parse(body), response, refuse)
      default: return refuse(404, 'not_found', 'No such route.')
    }
  }

  file(name, response) {
    const file = path.join(DIST, name === '/' ? 'index.html' : path.normalize(name))
    if (!existsSync(file) || !statSync(file).isFile()) {
      response.writeHead(404).end()
      return
    }
    response.writeHead(200, { 'content-type': TYPES[path.extname(file)] ?? 'application/octet-stream', 'content-security-policy': CSP,
      'x-content-type-options': 'nosniff', ...(/worker-/.test(name) ? { 'service-worker-allowed': '/' } : {}), 'cache-control': name === '/' ? 'no-cache' : 'max-age=31536000, immutable' })
    createReadStream(file).pipe(response)
  }

  live() {
    const time = performance.now() / 1000
    return {
      tokens_per_second: 42 + 9 * Math.sin(time / 3), running: 2, waiting: 1, context_used_tokens: 3120, context_tokens: 8192,
      prefix_hit_tokens: 6300, prompt_tokens: 9100, memory_bytes: { cache: 3.1e8, limit: 1e9, process: 8.4e8 },
      experts: { layers: Array.from({ length: 8 }, (_, layer) => ({ layer, counts: Array.from({ length: 32 }, (__, expert) => Math.round(4 * time * Math.max(0.02, Math.sin(layer * 5 + expert * expert) ** 3))) })) },
    }
  }

  async chat(body, response, refuse) {
    this.requests.push(body)
    const turns = body.messages.filter((each) => each.role === 'user')
    const said = turns[turns.length - 1]?.content ?? ''
    const prefix = body.messages[body.messages.length - 1]?.prefix ? body.messages[body.messages.length - 1].content : ''
    if (said.startsWith('busy') && this.busy++ < 2) return refuse(429, 'queue_full', 'The queue is full.', { 'retry-after': '1' })
    if (said.startsWith('loading') && this.loading++ < 1) return refuse(503, 'model_loading', 'Loading model')
    if (said.startsWith('too long') && turns.length > 1) return refuse(400, 'context_length_exceeded', 'This model has 8192 tokens of context, 9001 were asked for.')
    const plan = this.plan(said, prefix)
    const base = { id: `chatcmpl-${this.requests.length}`, object: 'chat.completion.chunk', created: 1, model: body.model }
    const event = (choices, more = {}) => response.write(`data: ${JSON.stringify({ ...base, choices, usage: null, ...more })}\n\n`)
    const delta = (value, finish = null) => event([{ index: 0, delta: value, finish_reason: finish }])
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache' })
    response.write(': keep-alive\n\n')
    delta({ role: 'assistant', content: '' })
    let sent = 0
    this.cut = false
    for (const [kind, list] of [['reasoning_content', words(plan.thoughts ?? '')], ['content', words(plan.text)]]) {
      for (const word of list) {
        if (response.destroyed) return
        if (kind === 'reasoning_content' && this.cut) break
        if (plan.breakAt && sent >= plan.breakAt) return response.destroy()
        delta({ [kind]: word })
        ++sent
        if (plan.pause) await sleep(plan.pause)
        else if (sent % 25 === 0) await sleep(3)
      }
    }
    if (plan.tool) delta({ tool_calls: [{ index: 0, id: 'call_1', type: 'function', function: { name: 'weather', arguments: '{"place":"Kermadec"}' } }] })
    delta({}, plan.tool ? 'tool_calls' : 'stop')
    const prompt = Math.ceil(JSON.stringify(body.messages).length / 4)
    event([], {
      usage: { prompt_tokens: prompt, completion_tokens: sent, total_tokens: prompt + sent, prompt_tokens_details: { cached_tokens: prompt - 3 },
        completion_tokens_details: { reasoning_tokens: words(plan.thoughts ?? '').length } },
      timings: { cache_n: prompt - 3, prompt_n: 3, prompt_per_second: 512.5, predicted_n: sent, predicted_per_second: 41.7 },
    })
    response.end('data: [DONE]\n\n')
  }

  plan(said, prefix) {
    if (prefix !== '') return { text: ' and here it goes on.' }
    if (said.startsWith('slow')) return { text: 'Word after word it comes. '.repeat(60), pause: 100 }
    if (said.startsWith('think')) return { text: 'Here is the answer.', thoughts: THOUGHTS, pause: 30 }
    if (/^(sample|how strong)/i.test(said)) return { text: SAMPLE, thoughts: 'A table, some code and a formula.' }
    if (said.startsWith('evil')) return { text: EVIL }
    if (said.startsWith('long')) return { text: LONG }
    if (said.startsWith('break')) return { text: 'This begins well but does not end.', breakAt: 4, pause: 40 }
    if (said.startsWith('tool')) return { text: '', tool: true }
    return { text: `You said: ${said}` }
  }
}

if (process.argv[1] === import.meta.filename) {
  const mock = new Mock()
  mock.port = Number(process.env.PORT ?? 0)
  console.log(await mock.start())
}
