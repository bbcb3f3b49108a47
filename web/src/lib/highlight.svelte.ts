// Code colours. The highlighter is fetched when the first code block appears; until then, and for
// languages it does not know, code is plain. Nothing is guessed, so colours never change their mind.
let engine: typeof import('./highlight_languages') | undefined
let asked = false
let version = $state(0)

// Reading this in an effect runs it again when the highlighter has come.
export function highlighterVersion(): number {
  return version
}

const plain = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')

const LONG_CODE = 12_000  // characters
const STEP = 3_000
const cache = new Map<string, string>()  // the last few, so that a growing block costs its end only

function colour(text: string, language: string): string {
  const key = `${language}\n${text}`
  const known = cache.get(key)
  if (known !== undefined) return known
  const html = engine!.colour(text, language)
  if (cache.size > 40) cache.delete(cache.keys().next().value!)
  cache.set(key, html)
  return html
}

// Escaped HTML. A long text is coloured up to a whole number of steps, the rest stays plain until it
// fills a step, so that a frame never pays for all of it.
export function highlight(text: string, language: string): string {
  if (language === '') return plain(text)
  if (!engine) {
    if (!asked) {
      asked = true
      import('./highlight_languages').then((loaded) => {
        engine = loaded
        ++version
      }, () => { asked = false })
    }
    return plain(text)
  }
  if (!engine.knows(language)) return plain(text)
  if (text.length <= LONG_CODE) return colour(text, language)
  const cut = text.lastIndexOf('\n', text.length - (text.length % STEP)) + 1
  return colour(text.slice(0, cut), language) + plain(text.slice(cut))
}
