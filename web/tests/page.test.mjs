// The page in a browser, as a user has it. Cases that need a server which misbehaves run against the
// mock only; the others also against a real one (HADAL_URL).
import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { after, afterEach, before, test } from 'node:test'
import { base, clean, eventually, finish, mock, ownServer, real, start, visit } from './harness.mjs'

before(start)
afterEach(clean)
after(finish)

const needsMock = { skip: real && 'needs the mock server' }
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')
const LONG_TASK = real ? 'Write a long story about the sea.' : 'slow please'
const LONG = { mostTokens: 2000 }

async function accessible(page, where) {
  await page.evaluate(axe)
  const { violations } = await page.evaluate(() => globalThis.axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'] }))
  const serious = violations.filter((each) => ['serious', 'critical'].includes(each.impact))
  assert.deepEqual(serious.map((each) => `${where}: ${each.id}: ${each.nodes.map((node) => node.html.slice(0, 160)).join(' | ')}`), [])
}

test('sends a message and streams the answer', async () => {
  const { page, send, answers, answered, done } = await visit(LONG)
  await send(LONG_TASK)
  const text = answers.last().locator('.md')
  await text.waitFor()
  const early = (await text.innerText()).length
  await eventually('the answer grows', async () => (await text.innerText()).length > early)
  assert.equal(await answers.last().getAttribute('aria-busy'), 'true')
  await page.keyboard.press('Escape')
  await answered()
  if (mock) {
    const { messages, stream, stream_options } = mock.requests.at(-1)
    assert.deepEqual({ messages, stream, stream_options }, { messages: [{ role: 'user', content: 'slow please' }], stream: true, stream_options: { include_usage: true } })
  }
  await done()
})

test('shows the figures that the server gave', async () => {
  const { page, ask, answers, done } = await visit()
  await ask('hello')
  await answers.last().getByRole('button', { name: 'Figures of this answer' }).click()
  const figures = await answers.last().locator('.figures').innerText()
  for (const name of ['Tokens', 'Speed', 'First token after', 'Prompt', 'Ended by']) assert(figures.includes(name), `${name} in ${figures}`)
  if (mock) assert.match(figures, /41\.7 tok\/s[^]*512 tok\/s|41\.7 tok\/s[^]*513 tok\/s/)
  assert.equal(await page.locator('.gauge').count(), 1)
  await done()
})

test('stops, keeps what came, and continues it', async () => {
  const { page, send, answers, answered, done } = await visit(LONG)
  await send(LONG_TASK)
  await eventually('a few words', async () => (await answers.last().locator('.md').count()) > 0 && (await answers.last().locator('.md').innerText()).length > 30)
  await page.getByRole('button', { name: 'Stop' }).click()
  await answered()
  await page.locator('main, dialog').getByText('You stopped this answer.').waitFor()
  const kept = await answers.last().locator('.md').innerText()
  assert(kept.length > 20)
  if (!real) {
    await page.getByRole('button', { name: 'Continue' }).click()
    await page.locator('main, dialog').getByText('and here it goes on.').waitFor()
    const sent = mock.requests.at(-1).messages.at(-1)
    assert.equal(sent.prefix, true)
    assert.equal(sent.role, 'assistant')
    assert((await answers.last().locator('.md').innerText()).startsWith(kept.slice(0, 15)))
  }
  await done()
})

test('folds reasoning, times it, and leaves it out of what is copied', needsMock, async () => {
  const { page, send, answered, answers, done } = await visit()
  await send('think about it')
  const fold = page.locator('.reasoning .fold')
  await fold.waitFor()
  assert.equal(await fold.getAttribute('aria-expanded'), 'false')
  assert.equal(await page.locator('.reasoning .body').count(), 0)
  const first = await page.locator('.reasoning .time').innerText()
  await eventually('the timer runs', async () => (await page.locator('.reasoning .time').innerText()) !== first)
  await fold.click()
  await page.locator('.reasoning .body').getByText('The user wants an answer').waitFor()
  await answered()
  assert.match(await fold.innerText(), /Thought for/)
  await answers.last().getByRole('button', { name: 'Copy message' }).click()
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), 'Here is the answer.')
  await fold.click()
  assert.equal(await page.locator('.reasoning .body').count(), 0)
  await done()
})

test('cuts thinking short', needsMock, async () => {
  const { page, send, answered, done } = await visit()
  await send('think about it')
  await page.getByRole('button', { name: 'Answer now' }).click()
  await answered()
  await page.locator('main, dialog').getByText('Here is the answer.').waitFor()
  assert.equal(mock.controls.at(-1).action, 'reasoning_end')
  await done()
})

test('edits a turn into a branch that survives a reload', async () => {
  const { page, ask, answers, answered, done } = await visit()
  await ask('first words')
  await page.locator('article.user').hover()
  await page.locator('article.user').getByRole('button', { name: 'Edit' }).click()
  await page.getByLabel('Edit message').fill('other words')
  await page.keyboard.press('Enter')
  await answered()
  assert.equal(await page.locator('article.user .bubble').innerText(), 'other words')
  assert.equal(await page.locator('article.user .versions').innerText(), '2/2')
  const second = await answers.last().locator('.md').innerText()
  await page.reload()
  await page.locator('article.answer').waitFor()
  assert.equal(await page.locator('article.user .bubble').innerText(), 'other words')
  assert.equal(await answers.last().locator('.md').innerText(), second)
  await page.locator('article.user').hover()
  await page.getByRole('button', { name: 'Previous version' }).click()
  assert.equal(await page.locator('article.user .bubble').innerText(), 'first words')
  await page.reload()
  await page.locator('article.answer').waitFor()
  assert.equal(await page.locator('article.user .bubble').innerText(), 'first words')
  await done()
})

test('answers again beside the first answer', async () => {
  const { page, ask, answers, answered, done } = await visit()
  await ask('say it')
  await answers.last().getByRole('button', { name: 'Answer again' }).click()
  await eventually('a second version', async () => (await page.locator('.answer .versions').count()) > 0)
  await answered()
  assert.equal(await page.locator('.answer .versions').innerText(), '2/2')
  await page.locator('.answer').getByRole('button', { name: 'Previous version' }).click()
  assert.equal(await page.locator('.answer .versions').innerText(), '1/2')
  await done()
})

test('edits and deletes an answer', async () => {
  const { page, ask, answers, done } = await visit()
  await ask('say it')
  await answers.last().getByRole('button', { name: 'More' }).click()
  await page.getByRole('menuitem', { name: 'Edit' }).click()
  await page.getByLabel('Edit message').fill('My own words.')
  await page.getByRole('button', { name: 'Save as a branch' }).click()
  await page.locator('main, dialog').getByText('My own words.').waitFor()
  assert.equal(await page.locator('.answer .versions').innerText(), '2/2')
  await answers.last().getByRole('button', { name: 'More' }).click()
  await page.getByRole('menuitem', { name: 'Delete' }).click()
  await page.locator('dialog').getByRole('button', { name: 'Delete' }).click()
  await eventually('one version', async () => (await page.locator('.answer .versions').count()) === 0)
  await done()
})

test('keeps conversation and draft over a reload', async () => {
  const { page, ask, answers, done } = await visit()
  await ask('remember this')
  const text = await answers.last().locator('.md').innerText()
  await page.fill('#message', 'half a thought')
  await page.waitForTimeout(200)
  await page.reload()
  await page.locator('article.answer').waitFor()
  assert.equal(await answers.last().locator('.md').innerText(), text)
  assert.equal(await page.inputValue('#message'), 'half a thought')
  await done()
})

test('switches the theme without a flash', async () => {
  const { page, context, done } = await visit({ colorScheme: 'light' })
  const theme = () => page.evaluate(() => document.documentElement.dataset.theme)
  assert.equal(await theme(), 'light')
  await page.emulateMedia({ colorScheme: 'dark' })
  await eventually('the system is followed', async () => (await theme()) === 'dark')
  await page.emulateMedia({ colorScheme: 'light' })
  await page.getByRole('button', { name: 'Settings' }).click()
  await page.getByRole('tab', { name: 'Appearance' }).click()
  await page.getByLabel('Dark').check()
  assert.equal(await theme(), 'dark')
  // Before anything of the page is painted the theme is there.
  await context.addInitScript(() => {
    new MutationObserver((_, observer) => {
      if (!document.body) return
      globalThis.atBody = document.documentElement.dataset.theme
      observer.disconnect()
    }).observe(document, { childList: true, subtree: true })
  })
  await page.reload()
  await page.locator('.empty h1').waitFor()
  assert.equal(await page.evaluate(() => globalThis.atBody), 'dark')
  await done()
})

test('fits a phone', async () => {
  const { page, ask, done } = await visit({ viewport: { width: 360, height: 640 }, isMobile: true, hasTouch: true, deviceScaleFactor: 2 })
  await ask(real ? 'hello' : 'sample')
  const fits = () => page.evaluate(() => document.documentElement.scrollWidth <= 360 && document.querySelector('.scroller').scrollWidth <= document.querySelector('.scroller').clientWidth)
  assert(await fits())
  const small = await page.evaluate(() => [...document.querySelectorAll('button, input, select, textarea')].filter((each) => {
    const box = each.getBoundingClientRect()
    return box.width > 0 && each.checkVisibility() && (box.height < 43.5 || box.width < 30)
  }).map((each) => `${each.getAttribute('aria-label') ?? each.textContent} ${each.getBoundingClientRect().width}x${each.getBoundingClientRect().height}`))
  assert.deepEqual(small, [])
  await page.getByRole('button', { name: 'Show conversations' }).tap()
  await page.locator('.sidebar').waitFor()
  await accessible(page, 'drawer')
  await page.locator('.sidebar').getByRole('button', { name: 'Settings' }).tap()
  await page.getByRole('tab', { name: 'Sampling' }).tap()
  assert.deepEqual(await page.evaluate(() => document.querySelector('dialog').scrollWidth <= 360), true)
  await page.getByRole('button', { name: 'Close' }).tap()
  await page.locator('.veil').tap({ position: { x: 340, y: 300 } })
  await eventually('the drawer closes', async () => (await page.locator('.sidebar').count()) === 0)
  await page.getByRole('button', { name: 'Live view' }).tap()
  await page.locator('.live').waitFor()
  assert(await page.evaluate(() => document.documentElement.scrollWidth <= 360))
  await done()
})

test('survives a server restart with a clear notice', needsMock, async () => {
  const own = ownServer()
  const url = await own.start()
  const { page, ask, send, answered, answers, done } = await visit({ url, allowed: /ERR_CONNECTION_REFUSED|ERR_CONNECTION_RESET|ERR_EMPTY_RESPONSE|ERR_INCOMPLETE_CHUNKED_ENCODING/ })
  await ask('before')
  await own.stop()
  await send('while it is away')
  await page.locator('.banner[data-state="down"]').getByText('The server does not answer').waitFor()
  await page.locator('main, dialog').getByText('Your message is kept').waitFor()
  await own.start()
  await page.locator('.banner[data-state="restored"]').waitFor()
  await answered(2)
  assert.match(await answers.last().locator('.md').innerText(), /You said: while it is away/)
  // In the middle of an answer: what came is kept.
  await send('slow please')
  await eventually('some words', async () => (await answers.last().locator('.md').count()) > 0 && (await answers.last().locator('.md').innerText()).length > 40)
  await own.stop()
  await page.locator('main, dialog').getByText('The connection broke. The answer so far is kept.').first().waitFor()
  await page.locator('.banner[data-state="down"]').waitFor()
  await own.start()
  await eventually('the notice goes away', async () => (await page.locator('.banner').count()) === 0)
  await page.getByRole('button', { name: 'Continue' }).click()
  await page.locator('main, dialog').getByText('and here it goes on.').waitFor()
  await done()
})

test('opens and shows its history while the server is away', needsMock, async () => {
  const own = ownServer()
  const url = await own.start()
  const { page, ask, done } = await visit({ url, allowed: /ERR_CONNECTION_REFUSED/ })
  await ask('remember me')
  await page.evaluate(() => navigator.serviceWorker.ready.then(() => {}))
  await page.reload()
  await page.locator('article.answer').waitFor()
  await eventually('the worker has the page', () => page.evaluate(async () => navigator.serviceWorker.controller && (await caches.keys()).length > 0 && (await (await caches.open('hadal-page')).keys()).length > 4))
  await own.stop()
  await page.reload()
  await page.locator('article.answer').getByText('You said: remember me').waitFor()
  await page.locator('.banner[data-state="down"]').waitFor()
  await own.start()
  await page.locator('.banner[data-state="restored"]').waitFor()
  await done()
})

test('waits for a busy server and for a model that loads', needsMock, async () => {
  const { page, send, answered, answers, done } = await visit({ allowed: /status of (429|503)/ })
  await send('busy are you')
  await page.locator('main, dialog').getByText(/The server is busy\. Next try in \d s\./).waitFor()
  await answered()
  assert.match(await answers.last().innerText(), /You said: busy are you/)
  await send('loading maybe')
  await page.locator('main, dialog').getByText('The model is being loaded').first().waitFor()
  await answered(2)
  assert.match(await answers.last().innerText(), /You said: loading maybe/)
  await done()
})

test('leaves out older turns where the context is full', needsMock, async () => {
  const { page, ask, answered, answers, done } = await visit({ allowed: /status of 400/ })
  await ask('one')
  await ask('two', 2)
  await ask('too long now', 3)
  await page.locator('main, dialog').getByText('longer than the model\u2019s context').waitFor()
  await page.getByRole('button', { name: 'Leave out older turns' }).click()
  await answered()
  await eventually('an answer or a shorter try', async () => mock.requests.at(-1).messages.filter((each) => each.role === 'user').length === 1)
  await page.locator('main, dialog').getByText('are not sent to the model any more').waitFor()
  assert.match(await answers.last().innerText(), /You said: too long now/)
  await done()
})

test('says when an answer breaks off', needsMock, async () => {
  const { page, ask, answers, done } = await visit({ allowed: /ERR_INCOMPLETE_CHUNKED_ENCODING|ERR_CONNECTION_RESET/ })
  await ask('break please')
  await page.locator('main, dialog').getByText('The connection broke. The answer so far is kept.').first().waitFor()
  assert.match(await answers.last().locator('.md').innerText(), /This begins/)
  await done()
})

test('asks for a key and keeps it in the tab', needsMock, async () => {
  const own = ownServer({ key: 'sesame' })
  const url = await own.start()
  const { page, context, ask, answers, done } = await visit({ url, allowed: /status of 401/ })
  await page.locator('.banner[data-state="key"]').getByRole('button', { name: 'Enter key' }).click()
  await page.getByLabel('API key', { exact: true }).and(page.locator('input')).fill('sesame')
  await page.getByRole('button', { name: 'Save' }).click()
  await page.locator('main, dialog').getByText('The key is used from now on.').waitFor()
  await page.getByRole('button', { name: 'Close' }).click()
  await ask('hello')
  assert.match(await answers.last().innerText(), /You said: hello/)
  const stored = await page.evaluate(async () => {
    const databases = await indexedDB.databases()
    const all = []
    for (const { name } of databases) {
      const db = await new Promise((resolve) => { const ask = indexedDB.open(name); ask.onsuccess = () => resolve(ask.result) })
      for (const each of db.objectStoreNames) {
        all.push(await new Promise((resolve) => { const ask = db.transaction(each).objectStore(each).getAll(); ask.onsuccess = () => resolve(ask.result) }))
      }
    }
    return JSON.stringify([all, { ...localStorage }])
  })
  assert(!stored.includes('sesame'))
  const other = await context.newPage()
  await other.goto(url)
  await other.locator('.banner[data-state="key"]').waitFor()
  await done()
})

test('draws code, mathematics and tables, and copies code exactly', needsMock, async () => {
  const { page, ask, done } = await visit()
  await ask('sample')
  await page.locator('.katex-display').waitFor()
  assert.equal(await page.locator('.katex').count(), 5)
  const integral = await page.locator('.math-display .katex-html').boundingBox()
  assert(integral.height > 30, 'the formula has the height that its styles give it')
  assert.equal(await page.locator('.md td').count(), 12)
  await page.locator('.hljs-keyword').first().waitFor()
  await page.locator('.code').getByRole('button', { name: 'Copy' }).click()
  const copied = await page.evaluate(() => navigator.clipboard.readText())
  const source = readFileSync(new URL('sample.md', import.meta.url), 'utf8')
  assert.equal(copied, /```python\n([^]*?)\n```/.exec(source)[1])
  await page.locator('.code').getByRole('button', { name: 'Wrap' }).click()
  assert.equal(await page.locator('.code').getByRole('button', { name: 'Wrap' }).getAttribute('aria-pressed'), 'true')
  assert.match(await page.locator('.md').innerText(), /a price of \$5 or \$7 is no formula/)
  await done()
})

test('keeps hostile output inert', needsMock, async () => {
  const { page, ask, done } = await visit()
  await ask('evil')
  await page.locator('main, dialog').getByText('The end.').waitFor()
  await page.waitForTimeout(300)
  assert.equal(await page.evaluate(() => globalThis.pwned), undefined)
  const found = await page.evaluate(() => {
    const root = document.querySelector('.md')
    const bad = []
    if (root.querySelector('script, iframe, img, form, input, object, embed, style')) bad.push('element')
    for (const each of root.querySelectorAll('*')) {
      for (const { name, value } of each.attributes) {
        if (name.startsWith('on')) bad.push(`${name}=${value}`)
        if (['href', 'src', 'xlink:href'].includes(name) && !/^(https?:|mailto:)/.test(value)) bad.push(`${name}=${value}`)
        if (/url\(/.test(value) && name === 'style') bad.push(value)
      }
    }
    return { bad, links: [...root.querySelectorAll('a')].map((each) => [each.protocol, each.rel, each.target]) }
  })
  assert.deepEqual(found.bad, [])
  assert(found.links.length > 0)
  for (const [protocol, rel, target] of found.links) {
    assert.match(protocol, /^https:$/)
    assert.match(rel, /noopener noreferrer/)
    assert.equal(target, '_blank')
  }
  await done()
})

test('streams ten thousand tokens smoothly', needsMock, async () => {
  const { page, send, answered, answers, done } = await visit()
  await page.evaluate(() => {
    globalThis.frames = []
    let last = performance.now()
    const tick = (now) => { globalThis.frames.push(now - last); last = now; requestAnimationFrame(tick) }
    requestAnimationFrame(tick)
  })
  await send('long please')
  await answered()
  const frames = (await page.evaluate(() => globalThis.frames)).sort((a, b) => a - b)
  const at = (part) => frames[Math.floor(frames.length * part)]
  console.log(`# frames while 10,000 tokens stream: median ${at(0.5).toFixed(1)} ms, 95 % within ${at(0.95).toFixed(1)} ms, ${frames.length} frames`)
  assert.equal(await answers.last().locator('.md .block').count(), 400)
  assert(at(0.5) < 34, `median frame ${at(0.5)} ms`)
  await page.locator('.scroller').hover()
  await page.mouse.wheel(0, -3000)
  await page.getByRole('button', { name: 'Jump to the latest' }).click()
  await eventually('the end', () => page.evaluate(() => { const each = document.querySelector('.scroller'); return each.scrollHeight - each.scrollTop - each.clientHeight < 5 }))
  await done()
})

test('shows a tool call', needsMock, async () => {
  const { page, ask, done } = await visit()
  await ask('tool please')
  await page.locator('.tool').getByText('weather').waitFor()
  assert.equal(await page.locator('.tool pre').innerText(), '{"place":"Kermadec"}')
  await done()
})

test('searches, renames, pins and deletes conversations', async () => {
  const { page, ask, done } = await visit()
  await ask('whales sing in the deep')
  await page.getByRole('button', { name: 'New conversation' }).first().click()
  await ask('snails live there too')
  await page.keyboard.press('Control+k')
  await page.getByPlaceholder('Words of a title').fill('whales deep')
  await eventually('one is found', async () => (await page.locator('dialog li button').allInnerTexts()).join('|').startsWith('whales sing') && (await page.locator('dialog li button').count()) === 1)
  await page.keyboard.press('Enter')
  await page.locator('article.user .bubble', { hasText: 'whales sing in the deep' }).waitFor()
  const entry = page.locator('.side li', { hasText: 'whales' })
  await entry.hover()
  await entry.getByRole('button', { name: 'Options of' }).click()
  await page.getByRole('menuitem', { name: 'Rename' }).click()
  await page.getByLabel('Title').fill('Song')
  await page.keyboard.press('Enter')
  await page.locator('.side .title', { hasText: 'Song' }).waitFor()
  await page.locator('.side li', { hasText: 'Song' }).getByRole('button', { name: 'Options of' }).click()
  await page.getByRole('menuitem', { name: 'Pin' }).click()
  await page.locator('.side h2', { hasText: 'Pinned' }).waitFor()
  await page.locator('.side li', { hasText: 'Song' }).getByRole('button', { name: 'Options of' }).click()
  await page.getByRole('menuitem', { name: 'Delete' }).click()
  await page.locator('dialog').getByRole('button', { name: 'Delete' }).click()
  await eventually('it is gone', async () => (await page.locator('.side li').count()) === 1)
  await page.reload()
  await page.locator('.side li').waitFor()
  assert.equal(await page.locator('.side .title').innerText(), 'snails live there too')
  await done()
})

test('exports, deletes all and imports the same', async () => {
  const { page, ask, answers, answered, done } = await visit()
  await ask('one thing')
  await answers.last().getByRole('button', { name: 'Answer again' }).click()
  await eventually('a second version', async () => (await page.locator('.answer .versions').count()) > 0)
  await answered()
  await page.getByRole('button', { name: 'Settings' }).click()
  await page.getByRole('tab', { name: 'Data' }).click()
  const exported = async () => {
    const [download] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'Export all' }).click()])
    return readFileSync(await download.path(), 'utf8')
  }
  const text = await exported()
  assert.equal(JSON.parse(text).conversations[0].messages.length, 3)
  const file = { name: 'all.json', mimeType: 'application/json', buffer: Buffer.from(text) }
  await page.setInputFiles('#import', file)
  await page.locator('main, dialog').getByText('All of it was here already.').waitFor()
  await page.getByRole('button', { name: 'Delete all' }).click()
  await page.locator('dialog').getByRole('button', { name: 'Delete all' }).click()
  await eventually('nothing is left', async () => (await page.locator('.side li').count()) === 0)
  await page.getByRole('button', { name: 'Settings' }).click()
  await page.getByRole('tab', { name: 'Data' }).click()
  for (const [broken, words] of [['{', 'not JSON'], ['{}', 'not an export'], [text.replace('"role": "user"', '"role": "root"'), 'damaged']]) {
    await page.setInputFiles('#import', { ...file, buffer: Buffer.from(broken) })
    await page.locator('main, dialog').getByText(words).waitFor()
  }
  await page.setInputFiles('#import', file)
  await page.locator('main, dialog').getByText('One conversation came in.').waitFor()
  assert.equal(await exported(), text)
  await page.getByRole('button', { name: 'Close' }).click()
  await page.locator('.side li .entry').click()
  assert.equal(await page.locator('.answer .versions').innerText(), '2/2')
  await done()
})

test('attaches text files and refuses others', async () => {
  const { page, ask, done } = await visit()
  const input = page.locator('.composer input[type=file]')
  const text = (name, size) => ({ name, mimeType: 'text/plain', buffer: Buffer.alloc(size, 'a') })
  await input.setInputFiles([text('notes.txt', 20), { name: 'x.png', mimeType: 'image/png', buffer: Buffer.from([137, 80]) },
    { name: 'x.bin', mimeType: '', buffer: Buffer.from([0xff, 0xfe, 0]) }, text('big.txt', 2 ** 20 + 1)])
  const said = await page.locator('.problems').innerText()
  for (const words of ['not pictures', 'not UTF-8', 'larger than']) assert(said.includes(words), said)
  assert.equal(await page.locator('.composer .files li').count(), 1)
  await page.evaluate(() => {
    const data = new DataTransfer()
    data.items.add(new File(['int main() {}'], 'main.c', { type: 'text/x-c' }))
    for (const name of ['dragenter', 'dragover', 'drop']) window.dispatchEvent(new DragEvent(name, { dataTransfer: data, cancelable: true }))
  })
  await page.locator('.composer .files li', { hasText: 'main.c' }).waitFor()
  await page.evaluate(() => {
    const data = new DataTransfer()
    data.setData('text/plain', 'x'.repeat(9000))
    document.querySelector('#message').dispatchEvent(new ClipboardEvent('paste', { clipboardData: data, cancelable: true, bubbles: true }))
  })
  await page.locator('.composer .files li', { hasText: 'pasted-text' }).waitFor()
  await page.getByRole('button', { name: 'Remove pasted-text' }).click()
  await ask('what is this')
  if (mock) {
    const { content } = mock.requests.at(-1).messages.at(-1)
    assert.match(content, /File notes\.txt:\n```\naaaaaaaaaaaaaaaaaaaa\n```\n\nFile main\.c:\n```\nint main\(\) \{\}\n```\n\nwhat is this/)
  }
  assert.equal(await page.locator('article.user .files li').count(), 2)
  await done()
})

test('sends what was set, and nothing that was not', needsMock, async () => {
  const { page, ask, done } = await visit()
  await page.getByRole('button', { name: 'Settings' }).click()
  await page.getByLabel('System prompt of new conversations').fill('Be brief.')
  await page.getByRole('tab', { name: 'Sampling' }).click()
  await page.getByLabel('Temperature').fill('0.4')
  await page.getByLabel('Top k').fill('20')
  await page.getByLabel('Stop at').fill('END')
  await page.getByRole('combobox', { name: 'Thinking' }).selectOption('high')
  await page.getByLabel('Name of the preset').fill('Mine')
  await page.getByRole('button', { name: 'Save as preset' }).click()
  await eventually('the preset is chosen', async () => (await page.getByRole('combobox', { name: 'Preset' }).inputValue()) === 'Mine')
  await page.getByRole('button', { name: 'Close' }).click()
  await ask('hello')
  const { model, temperature, top_k, stop, thinking, reasoning_effort, messages, ...rest } = mock.requests.at(-1)
  assert.deepEqual({ model, temperature, top_k, stop, thinking, reasoning_effort }, { model: 'hadal-small', temperature: 0.4, top_k: 20, stop: ['END'], thinking: { type: 'enabled' }, reasoning_effort: 'high' })
  assert.deepEqual(messages[0], { role: 'system', content: 'Be brief.' })
  assert.deepEqual(Object.keys(rest).sort(), ['stream', 'stream_options'])
  await page.reload()
  await page.locator('article').first().waitFor()
  await page.getByRole('button', { name: 'Settings' }).click()
  await page.getByRole('tab', { name: 'Sampling' }).click()
  assert.equal(await page.getByLabel('Temperature').inputValue(), '0.4')
  await page.getByRole('button', { name: 'Reset to the server' }).click()
  await page.getByRole('button', { name: 'Close' }).click()
  await page.getByRole('button', { name: /Choose a model/ }).click()
  await page.getByRole('menuitemradio', { name: /hadal-mixture/ }).click()
  await ask('hello', 2)
  const second = mock.requests.at(-1)
  assert.equal(second.model, 'hadal-mixture')
  assert.deepEqual(Object.keys(second).sort(), ['messages', 'model', 'stream', 'stream_options'])
  await done()
})

test('watches the machine only while asked to', needsMock, async () => {
  const { page, done } = await visit()
  let polls = 0
  page.on('request', (request) => { if (request.url().includes('/api/hadal/live')) ++polls })
  await page.waitForTimeout(300)
  assert.equal(polls, 0)
  await page.getByRole('button', { name: 'Live view' }).click()
  await page.locator('.live canvas').first().waitFor()
  await page.locator('.live').getByText('69 %').waitFor()
  await page.locator('.uplot').waitFor()
  await eventually('a second poll', async () => polls >= 2)
  await accessible(page, 'live view')
  await page.locator('.live').getByRole('button', { name: 'Close' }).click()
  const before = polls
  await page.waitForTimeout(1300)
  assert(polls <= before + 1)
  await done()
})

test('says how to call the API in four dialects', async () => {
  const { page, done } = await visit()
  await page.getByRole('button', { name: 'API' }).click()
  for (const [name, path] of [['OpenAI', '/v1/chat/completions'], ['DeepSeek', '/chat/completions'], ['Anthropic', '/v1/messages'], ['Ollama', '/api/chat']]) {
    await page.getByRole('button', { name: `Copy the command for ${name}` }).click()
    const command = await page.evaluate(() => navigator.clipboard.readText())
    assert(command.startsWith(`curl ${base}${path} `), command)
    JSON.parse(/-d '(.*)'$/.exec(command)[1])
  }
  await done()
})

test('has no serious finding of axe', async () => {
  for (const colorScheme of ['light', 'dark']) {
    const { page, ask, answers, done } = await visit({ colorScheme })
    await accessible(page, 'empty')
    await ask(real ? 'hello' : 'sample')
    await answers.last().getByRole('button', { name: 'Figures' }).click()
    if (!real) await page.locator('.reasoning .fold').click()
    await accessible(page, `${colorScheme} conversation`)
    for (const tab of colorScheme === 'light' ? ['Conversation', 'Sampling', 'Appearance', 'Data', 'API key'] : ['Conversation', 'Sampling']) {
      if (tab === 'Conversation') await page.getByRole('button', { name: 'Settings' }).click()
      else await page.getByRole('tab', { name: tab }).click()
      await accessible(page, `${colorScheme} settings ${tab}`)
    }
    await page.keyboard.press('Escape')
    await page.keyboard.press('Control+k')
    await page.locator('dialog li button').first().waitFor()
    await accessible(page, `${colorScheme} search`)
    await page.keyboard.press('Escape')
    await page.getByRole('button', { name: 'API' }).click()
    await accessible(page, `${colorScheme} API`)
    await page.keyboard.press('Escape')
    await page.getByRole('button', { name: /Choose a model/ }).click()
    await accessible(page, `${colorScheme} models`)
    await page.getByRole('menuitem', { name: 'About this model' }).click()
    await page.locator('dialog').getByText(real ? /./ : 'Apache-2.0').first().waitFor()
    await accessible(page, `${colorScheme} model`)
    await done()
  }
})

test('speaks to a screen reader in whole sentences', needsMock, async () => {
  const { page, send, answered, done } = await visit()
  await page.evaluate(() => {
    globalThis.said = []
    new MutationObserver(() => globalThis.said.push(document.querySelector('#announcer').textContent)).observe(document.querySelector('#announcer'), { childList: true, characterData: true, subtree: true })
  })
  await send('hello there')
  await answered()
  const said = await page.evaluate(() => globalThis.said)
  assert.deepEqual(said, ['The answer begins.', 'You said: hello there End of the answer.'])
  await done()
})

test('can be used by keyboard alone', async () => {
  const { page, answered, answers, done } = await visit()
  const focus = () => page.evaluate(() => document.activeElement.id || document.activeElement.getAttribute('aria-label') || document.activeElement.textContent.trim())
  await eventually('the message box has the focus', async () => (await focus()) === 'message')
  await page.keyboard.type('written by keys')
  await page.keyboard.press('Shift+Enter')
  await page.keyboard.type('in two lines')
  await page.keyboard.press('Enter')
  await answered(1)
  assert.equal(await page.locator('article.user .bubble').innerText(), 'written by keys\nin two lines')
  await page.keyboard.press('ArrowUp')
  await eventually('the last message is edited', async () => (await focus()) === 'Edit message')
  await page.keyboard.press('End')
  await page.keyboard.type('!')
  await page.keyboard.press('Enter')
  await answered()
  await eventually('the branch', async () => (await page.locator('article.user .versions').count()) === 1)
  await page.keyboard.press('Control+Shift+O')
  await eventually('a new conversation', async () => (await answers.count()) === 0)
  await page.keyboard.press('Control+k')
  await eventually('the search', async () => (await focus()) === 'search')
  await page.locator('dialog li button').first().waitFor()
  await page.keyboard.press('ArrowDown')
  await page.keyboard.press('Enter')
  await answers.first().waitFor()
  await page.keyboard.press('Control+b')
  await eventually('the sidebar is hidden', async () => (await page.locator('.sidebar').count()) === 0)
  await page.keyboard.press('Control+b')
  await page.locator('.sidebar').waitFor()
  // From the top: the skip link comes first, everything has a visible focus, and the box is reached.
  await page.evaluate(() => { document.activeElement.blur(); window.getSelection().removeAllRanges() })
  const seen = []
  for (let steps = 0; steps < 60; ++steps) {
    await page.keyboard.press('Tab')
    const name = await focus()
    if (name === 'message' && seen.length > 3) break
    seen.push(name)
    const outlined = await page.evaluate(() => document.activeElement === document.body || getComputedStyle(document.activeElement).outlineStyle !== 'none')
    assert(outlined, `${name} shows its focus`)
  }
  const order = ['Hide conversations', 'New conversation', 'Search', 'Settings', 'Messages'].map((name) => seen.indexOf(name))
  assert(order.every((at, index) => at >= 0 && (index === 0 || at > order[index - 1])), `${seen}`)
  await page.getByLabel('Messages').focus()
  await page.keyboard.press('?')
  await page.locator('dialog').getByText('Stop the answer').waitFor()
  await page.keyboard.press('Escape')
  await eventually('the dialog closes', async () => (await page.locator('dialog').count()) === 0)
  await done()
})
