// Takes the pictures of docs/: node web/tests/screenshots.mjs
import path from 'node:path'
import { clean, finish, start, visit } from './harness.mjs'

const docs = path.resolve(import.meta.dirname, '../../docs')
const OLDER = ['Names for a research vessel', 'Snailfish at eight thousand metres', 'Plan a reading week', 'Explain mixture of experts', 'Regular expression for log lines']
const QUESTION = 'How strong is the pressure at the bottom of a trench? Show me the formula and a table.'

const SHOTS = [
  { name: 'light', colorScheme: 'light', viewport: { width: 1280, height: 832 }, top: 0, live: false },
  { name: 'dark', colorScheme: 'dark', viewport: { width: 1280, height: 832 }, top: 330, live: true },
  { name: 'phone', colorScheme: 'light', viewport: { width: 360, height: 640 }, deviceScaleFactor: 2, isMobile: true, hasTouch: true, top: 0, live: false },
]

await start()
for (const { name, top, live, ...options } of SHOTS) {
  const { page, ask } = await visit(options)
  for (const title of OLDER) {
    await ask(title)
    await page.keyboard.press('Control+Shift+O')
    await page.locator('.empty h1').waitFor()
  }
  await ask(QUESTION)
  await page.locator('.katex-display').waitFor()
  if (live) {
    await page.getByRole('button', { name: 'Live view' }).click()
    await page.waitForTimeout(14_000)
  }
  await page.evaluate((to) => { document.querySelector('.scroller').scrollTop = to }, top)
  await page.mouse.move(options.viewport.width / 2, options.viewport.height - 20)
  await page.evaluate(() => document.activeElement?.blur())
  await page.waitForTimeout(400)
  await page.screenshot({ path: path.join(docs, `page-${name}.png`) })
  await clean()
}
await finish()
