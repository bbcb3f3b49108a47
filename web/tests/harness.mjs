// What the browser tests share: the server, the browser, and a page that is watched for errors and
// for requests to other hosts.
import assert from 'node:assert/strict'
import { existsSync } from 'node:fs'
import { chromium } from 'playwright-core'
import { Mock } from './mock.mjs'

const BROWSERS = [process.env.CHROMIUM, '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']

export const real = process.env.HADAL_URL !== undefined
// Left alone, a real model may write until its context is full, for longer than any test waits.
const MOST_TOKENS = 48
export let mock
export let base
let browser
const contexts = new Set()
const servers = new Set()

export async function start() {
  const executablePath = BROWSERS.find((each) => each && existsSync(each))
  assert(executablePath, 'no Chromium found: install the package chromium, or name one in CHROMIUM')
  if (!real) mock = new Mock()
  base = real ? process.env.HADAL_URL.replace(/\/$/, '') : await mock.start()
  browser = await chromium.launch({ executablePath, args: process.getuid() === 0 ? ['--no-sandbox'] : [] })
}

export async function finish() {
  await browser?.close()
  await mock?.stop()
}

// A server that one test alone uses.
export function ownServer(options) {
  const server = new Mock(options)
  servers.add(server)
  return server
}

// After each test, whether it passed or not.
export async function clean() {
  for (const each of contexts) await each.close()
  for (const each of servers) await each.stop()
  contexts.clear()
  servers.clear()
}

// Runs in the browser: what the page asks for, but for the bound.
function boundAnswers(most) {
  const { fetch } = globalThis
  globalThis.fetch = (to, init) => {
    if (!/\/chat\/completions$/.test(String(to))) return fetch(to, init)
    return fetch(to, { ...init, body: JSON.stringify({ max_tokens: most, ...JSON.parse(init.body) }) })
  }
}

// A fresh visitor. `allowed` is a pattern of console errors that the test provokes; anything else in
// the console, an uncaught exception or a request to another origin fails the test when `done` runs.
// A real model writes at most `mostTokens` an answer.
export async function visit({ allowed, url = base, wait = true, mostTokens = MOST_TOKENS, ...options } = {}) {
  const context = await browser.newContext({ viewport: { width: 1200, height: 800 }, reducedMotion: 'reduce', ...options })
  contexts.add(context)
  await context.grantPermissions(['clipboard-read', 'clipboard-write'], { origin: new URL(url).origin })
  if (real) await context.addInitScript(boundAnswers, mostTokens)
  const page = await context.newPage()
  page.setDefaultTimeout(real ? 60_000 : 20_000)
  const problems = []
  page.on('console', (message) => {
    if (message.type() === 'error' && !allowed?.test(message.text())) problems.push(`console: ${message.text()}`)
  })
  page.on('pageerror', (error) => problems.push(`exception: ${error.stack ?? error.message}`))
  context.on('request', (request) => {
    const to = new URL(request.url())
    if (to.protocol !== 'blob:' && to.origin !== new URL(url).origin) problems.push(`foreign request: ${request.url()}`)
  })
  const answers = page.locator('article.answer')
  const visitor = {
    page, context, problems, answers,
    async send(text) {
      await page.fill('#message', text)
      await page.press('#message', options.hasTouch ? 'Control+Enter' : 'Enter')
    },
    // Until the last answer is there and complete.
    async answered(count) {
      if (count !== undefined) await answers.nth(count - 1).waitFor()
      await page.locator('article.answer[aria-busy="false"] .actions').last().waitFor()
      await page.waitForFunction(() => document.querySelectorAll('article.answer[aria-busy="true"]').length === 0)
    },
    async ask(text, count) {
      await visitor.send(text)
      await visitor.answered(count)
    },
    done: async () => {
      contexts.delete(context)
      await context.close()
      assert.deepEqual(problems, [])
    },
  }
  await page.goto(url)
  if (wait) await page.locator('.empty h1, article').first().waitFor()
  return visitor
}

export async function eventually(what, read, milliseconds = 12_000) {
  const end = Date.now() + milliseconds
  for (;;) {
    const value = await read()
    if (value) return value
    if (Date.now() > end) assert.fail(`${what} did not come true in ${milliseconds} ms`)
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}
