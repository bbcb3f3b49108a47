// Markdown to safe HTML. markdown-it runs with raw HTML off, and what it makes goes through DOMPurify
// as well. Mathematics becomes an element that carries its source; math.ts fills it in, since KaTeX's
// styles must be set through the DOM under our content security policy.
import DOMPurify from 'dompurify'
import MarkdownIt, { type Token } from 'markdown-it'
import { highlight } from './highlight.svelte'
import { mathPlugin } from './markdown_math'
import { S } from './strings'

const md = new MarkdownIt({ html: false, linkify: true, breaks: true, typographer: false })
md.use(mathPlugin)
md.linkify.set({ fuzzyLink: false, fuzzyEmail: false })
md.validateLink = (url) => /^(?:https?:\/\/|mailto:)/i.test(url.trim())

const escape = md.utils.escapeHtml

md.renderer.rules.link_open = (tokens, index) =>
  `<a href="${escape(String(tokens[index]!.attrGet('href') ?? ''))}" target="_blank" rel="noopener noreferrer nofollow">`

// No picture is ever fetched: it would tell another host what was said. It becomes a link.
md.renderer.rules.image = (tokens, index) => {
  const token = tokens[index]!
  const address = String(token.attrGet('src') ?? '')
  return `<a href="${escape(address)}" target="_blank" rel="noopener noreferrer nofollow" class="image-link">` +
    `${escape(S.image)}: ${escape(token.content || address)}</a>`
}

function codeBlock(code: string, language: string): string {
  const text = code.replace(/\n$/, '')
  const name = language.slice(0, 24) || 'text'
  return `<div class="code"><div class="code-head"><span class="code-lang">${escape(name)}</span>` +
    `<button type="button" data-act="wrap" aria-pressed="false">${S.wrap}</button>` +
    `<button type="button" data-act="copy">${S.copy}</button></div>` +
    `<pre tabindex="0" role="group" aria-label="${escape(S.codeIn(name))}"><code>${highlight(text, language)}</code></pre></div>`
}

md.renderer.rules.fence = (tokens, index) => {
  const token = tokens[index]!
  return codeBlock(token.content, md.utils.unescapeAll(token.info).trim().split(/\s+/)[0] ?? '')
}
md.renderer.rules.code_block = (tokens, index) => codeBlock(tokens[index]!.content, '')
md.renderer.rules.table_open = () => `<div class="table" tabindex="0" role="group" aria-label="${S.table}"><table>`
md.renderer.rules.table_close = () => '</table></div>'
for (const cell of ['th_open', 'td_open']) {
  md.renderer.rules[cell] = (tokens, index) => {
    const align = /(left|center|right)/.exec(String(tokens[index]!.attrGet('style') ?? ''))?.[1]
    return `<${tokens[index]!.tag}${align ? ` class="align-${align}"` : ''}>`
  }
}

// "- [x] done" at the start of a list item.
md.core.ruler.push('tasks', (state) => {
  state.tokens.forEach((token, index) => {
    if (token.type !== 'inline' || state.tokens[index - 2]?.type !== 'list_item_open') return
    const first = token.children?.[0]
    const match = first?.type === 'text' ? /^\[([ xX])\]\s+/.exec(first.content) : null
    if (!first || !match) return
    first.content = first.content.slice(match[0].length)
    const box = new state.Token('task', '', 0)
    box.meta = { done: match[1] !== ' ' }
    token.children!.unshift(box)
    state.tokens[index - 2]!.attrJoin('class', 'task')
  })
})
md.renderer.rules.task = (tokens, index) => {
  const done = tokens[index]!.meta?.done === true
  return `<span class="task-box${done ? ' done' : ''}" role="img" aria-label="${done ? S.done : S.notDone}"></span>`
}

const ALLOWED = {
  ALLOWED_TAGS: ['a', 'b', 'blockquote', 'br', 'button', 'code', 'del', 'div', 'em', 'h1', 'h2', 'h3', 'h4', 'h5', 'h6',
    'hr', 'i', 'li', 'ol', 'p', 'pre', 's', 'span', 'strong', 'table', 'tbody', 'td', 'th', 'thead', 'tr', 'ul'],
  ALLOWED_ATTR: ['aria-label', 'aria-pressed', 'class', 'data-act', 'data-tex', 'data-display', 'href', 'rel', 'role',
    'start', 'tabindex', 'target', 'type'],
  // Of these only href is an address; DOMPurify holds every other value to the pattern unless told.
  ADD_URI_SAFE_ATTR: ['aria-label', 'aria-pressed', 'data-act', 'data-tex', 'data-display', 'rel', 'start', 'tabindex',
    'target', 'type'],
  ALLOW_DATA_ATTR: false,
  ALLOW_ARIA_ATTR: false,
  ALLOWED_URI_REGEXP: /^(?:https?:|mailto:)/i,
  RETURN_DOM_FRAGMENT: true as const,
}
// A link opens beside the page and learns nothing of it.
DOMPurify.addHook('afterSanitizeAttributes', (node) => {
  if (node.nodeName !== 'A') return
  node.setAttribute('rel', 'noopener noreferrer nofollow')
  node.setAttribute('target', '_blank')
})

export function sanitised(html: string): DocumentFragment {
  return DOMPurify.sanitize(html, ALLOWED) as unknown as DocumentFragment
}

type Env = Record<string, unknown>

interface Block {
  html: string
  first: number  // line
  type: string
}

function blocksOf(source: string, env: Env): Block[] {
  const tokens = md.parse(source, env)
  const blocks: Block[] = []
  let depth = 0
  let begin = 0
  tokens.forEach((token: Token, index: number) => {
    if (depth === 0) begin = index
    depth += token.nesting
    if (depth === 0) {
      const html = md.renderer.render(tokens.slice(begin, index + 1), md.options, env)
      blocks.push({ html, first: tokens[begin]!.map?.[0] ?? 0, type: tokens[begin]!.type })
    }
  })
  return blocks
}

// An unfinished last block, so that half-written marks are not shown and taken back again: emphasis
// and code spans are closed, a link without its end is its text, and a line that may still become a
// list, a rule or a fence waits.
export function healed(source: string): string {
  let text = source.replace(/\n[ \t]*(?:[-=+*_]{1,3}|\d{1,3}\.?|`{1,2}|~{1,2}|\|[-:| ]*)[ \t]*$/, '')
  const open = text.lastIndexOf('\n\n') + 1
  let tail = text.slice(open)
  text = text.slice(0, open)
  tail = tail.replace(/!?\[([^\]\n]*)\]\([^)\n]*$/, '$1').replace(/(\*{1,3}|_{1,2}|~~|`)$/, '')
  if ((tail.match(/`/g)?.length ?? 0) % 2 === 1) return text + tail + '`'
  const bare = tail.replace(/`[^`]*`/g, '')
  if ((bare.match(/\*\*/g)?.length ?? 0) % 2 === 1) tail = tail.trimEnd() + '**'
  if ((bare.match(/~~/g)?.length ?? 0) % 2 === 1) tail = tail.trimEnd() + '~~'
  return text + tail
}

// Renders a text that grows. Blocks before the last one cannot change any more and are parsed once.
export class GrowingMarkdown {
  private settled: string[] = []
  private offset = 0
  private seen = ''
  private env: Env = {}

  // The HTML of each block, in order.
  render(text: string, complete: boolean): string[] {
    if (complete) {
      this.reset()
      return blocksOf(text, {}).map((each) => each.html)
    }
    if (!text.startsWith(this.seen)) this.reset()
    this.seen = text
    const tail = text.slice(this.offset)
    const blocks = blocksOf(tail, this.env)
    const last = blocks.pop()
    if (!last) return [...this.settled]
    if (blocks.length > 0) {
      this.settled.push(...blocks.map((each) => each.html))
      let at = 0
      for (let line = 0; line < last.first; ++line) at = tail.indexOf('\n', at) + 1
      this.offset += at
    }
    if (['fence', 'code_block', 'math_block'].includes(last.type)) return [...this.settled, last.html]
    const rest = blocksOf(healed(text.slice(this.offset)), this.env).map((each) => each.html)
    return [...this.settled, ...rest]
  }

  private reset() {
    this.settled = []
    this.offset = 0
    this.seen = ''
    this.env = {}
  }
}
