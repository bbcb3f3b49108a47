import { createHash } from 'node:crypto'
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { svelte } from '@sveltejs/vite-plugin-svelte'
import { defineConfig, type Plugin } from 'vite'

const root = import.meta.dirname
const hashed = (text: string | Buffer) => createHash('sha256').update(text).digest('hex').slice(0, 8)

// What the built page contains of others, with their licences, so that every copy carries them.
function licences(): string {
  const shipped = ['svelte', 'markdown-it', 'dompurify', 'katex', 'highlight.js', 'uplot',
    '@fontsource-variable/inter', 'linkify-it', 'entities', 'mdurl', 'punycode.js', 'uc.micro', 'esm-env', 'clsx']
  let text = 'The page of Hadal contains these works of others.\n'
  for (const name of shipped) {
    const folder = `${root}/node_modules/${name}`
    if (!existsSync(folder)) continue
    const info = JSON.parse(readFileSync(`${folder}/package.json`, 'utf8'))
    const file = readdirSync(folder).sort().find((each) => /^licen[sc]e/i.test(each))
    text += `\n${'-'.repeat(72)}\n${name} ${info.version} (${info.license})\n\n`
    if (file) text += readFileSync(`${folder}/${file}`, 'utf8').replaceAll('\r', '').trim() + '\n'
  }
  return text
}

// Files that are not modules: the theme script, which must run before the first paint, the worker for
// when the server is away, the icon and the manifest. They get hashed names too and are named in the head of index.html.
function plainFiles(): Plugin {
  const names = new Map<string, string>()
  return {
    name: 'plain-files',
    apply: 'build',
    buildStart() {
      const add = (name: string, text: string) => {
        const dot = name.lastIndexOf('.')
        const fileName = `assets/${name.slice(0, dot)}-${hashed(text)}${name.slice(dot)}`
        names.set(name, `/${fileName}`)
        this.emitFile({ type: 'asset', fileName, source: text })
      }
      const read = (name: string) => readFileSync(`${root}/plain/${name}`, 'utf8')
      for (const name of ['theme.js', 'worker.js', 'icon.svg']) add(name, read(name))
      add('page.webmanifest', read('page.webmanifest').replaceAll('%icon.svg%', names.get('icon.svg')!))
      add('licences.txt', licences())
    },
    transformIndexHtml: {
      order: 'post',
      handler: () => [
        { tag: 'script', attrs: { src: names.get('theme.js') }, injectTo: 'head' },
        { tag: 'link', attrs: { rel: 'icon', type: 'image/svg+xml', href: names.get('icon.svg') }, injectTo: 'head' },
        { tag: 'link', attrs: { rel: 'manifest', href: names.get('page.webmanifest') }, injectTo: 'head' },
        { tag: 'meta', attrs: { name: 'worker', content: names.get('worker.js') }, injectTo: 'head' },
        { tag: 'link', attrs: { rel: 'license', href: names.get('licences.txt') }, injectTo: 'head' },
      ],
    },
  }
}

// KaTeX offers each font in three formats. Every browser that runs this page reads woff2.
function woff2Only(): Plugin {
  return {
    name: 'woff2-only',
    enforce: 'pre',
    transform(code, id) {
      if (!id.includes('katex') || !id.includes('.css')) return
      return { code: code.replace(/,\s*url\([^)]*\.(?:woff|ttf)\)\s*format\(["'](?:woff|truetype)["']\)/g, ''), map: null }
    },
  }
}

export default defineConfig({
  root,
  base: '/',
  publicDir: false,
  plugins: [woff2Only(), svelte(), plainFiles()],
  build: {
    target: 'es2022',
    outDir: 'dist',
    assetsInlineLimit: 0,
    reportCompressedSize: false,
    modulePreload: { polyfill: false },
  },
})
