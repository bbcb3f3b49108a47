// Mathematics in Markdown: $...$, $$...$$, \(...\) and \[...\]. Inside of code nothing is looked for,
// since code is found before inline rules run or, for code spans, by a rule that goes first.
import type { MarkdownIt, StateBlock, StateInline, Token } from 'markdown-it'

const DELIMITERS = [
  { open: '$$', close: '$$', display: true },
  { open: '\\[', close: '\\]', display: true },
  { open: '\\(', close: '\\)', display: false },
  { open: '$', close: '$', display: false },
]

// The place of the closing delimiter, or -1. A single dollar is a price unless blanks and digits
// around it say otherwise.
function findClose(source: string, from: number, most: number, open: string, close: string): number {
  for (let at = source.indexOf(close, from); at >= 0 && at + close.length <= most; at = source.indexOf(close, at + 1)) {
    let slashes = 0
    while (source[at - 1 - slashes] === '\\') ++slashes
    if (close.startsWith('$') && slashes % 2 === 1) continue
    if (open === '$' && (/\s/.test(source[at - 1]!) || /\d/.test(source[at + 1] ?? ''))) continue
    if (open === '$' && source.slice(from, at).includes('`')) return -1
    return at
  }
  return -1
}

function inline(state: StateInline, silent: boolean): boolean {
  const { src, pos, posMax } = state
  if (src[pos] !== '$' && src[pos] !== '\\') return false
  for (const { open, close, display } of DELIMITERS) {
    if (!src.startsWith(open, pos)) continue
    const from = pos + open.length
    if (open === '$' && (/\s/.test(src[from] ?? ' ') || src[from] === '$')) return false
    const end = findClose(src, from, posMax, open, close)
    if (end <= from) continue
    if (!silent) {
      const token = state.push('math', '', 0)
      token.content = src.slice(from, end)
      token.meta = { display }
    }
    state.pos = end + close.length
    return true
  }
  return false
}

// A block that begins with $$ or \[ on its own line, to the closing one, blank lines included.
function block(state: StateBlock, startLine: number, endLine: number, silent: boolean): boolean {
  const start = state.bMarks[startLine]! + state.tShift[startLine]!
  const open = state.src.slice(start, start + 2)
  if (open !== '$$' && open !== '\\[') return false
  const close = open === '$$' ? '$$' : '\\]'
  const lines: string[] = []
  let closed = false
  let line = startLine
  for (; line < endLine && !closed; ++line) {
    if (line > startLine && state.sCount[line]! < state.blkIndent) break
    let text = state.src.slice(state.bMarks[line]! + state.tShift[line]!, state.eMarks[line]!)
    if (line === startLine) text = text.slice(2)
    const end = text.trimEnd()
    if (end.endsWith(close)) {
      text = end.slice(0, -2)
      closed = true
    } else if (end.includes(close)) {
      return false  // text goes on after it: inline
    }
    lines.push(text)
  }
  if (silent) return closed
  const token = state.push('math_block', '', 0)
  token.block = true
  token.content = lines.join('\n').trim()
  token.meta = { display: true, closed }
  token.map = [startLine, line]
  state.line = line
  return true
}

export function mathPlugin(md: MarkdownIt): void {
  const escape = md.utils.escapeHtml
  md.inline.ruler.before('escape', 'math', inline)
  md.block.ruler.before('fence', 'math_block', block, { alt: ['paragraph', 'blockquote', 'list'] })
  md.renderer.rules.math = (tokens, index) => {
    const { content, meta } = tokens[index]! as Token & { meta: { display: boolean; closed?: boolean } }
    return `<span class="math" data-tex="${escape(content)}" data-display="${meta.display}">${escape(content)}</span>`
  }
  md.renderer.rules.math_block = (tokens, index) => {
    const { content, meta } = tokens[index]! as Token & { meta: { display: boolean; closed?: boolean } }
    if (!meta.closed) return `<div class="math-open">${escape(content)}</div>`
    return `<div class="math math-display" tabindex="0" role="group" data-tex="${escape(content)}" data-display="true">${escape(content)}</div>`
  }
}
