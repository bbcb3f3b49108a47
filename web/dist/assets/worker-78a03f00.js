// Lets the page open while the server is away, so that conversations can be read. It keeps the page
// itself and the files that it asked for; answers of the API never pass through here.
const NAME = 'hadal-page'

// Keeps a page and the files it names. Those of an earlier page go.
async function keep(response) {
  const text = await response.clone().text()
  const cache = await caches.open(NAME)
  const known = await cache.match('/')
  if (known && (await known.text()) === text) return
  await caches.delete(NAME)
  const fresh = await caches.open(NAME)
  await fresh.put('/', response)
  await fresh.addAll([...text.matchAll(/(?:src|href)="(\/assets\/[^"]+)"/g)].map((each) => each[1]))
}

async function page(request) {
  try {
    const response = await fetch(request)
    if (response.ok) keep(response.clone()).catch(() => {})
    return response
  } catch (error) {
    const known = await caches.match('/')
    if (known) return known
    throw error
  }
}

// Names of files change with what is in them, so a kept one is always right.
async function file(request) {
  const known = await caches.match(request)
  if (known) return known
  const response = await fetch(request)
  if (response.ok) (await caches.open(NAME)).put(request, response.clone()).catch(() => {})
  return response
}

self.addEventListener('install', (event) => {
  self.skipWaiting()
  event.waitUntil(fetch('/', { headers: { accept: 'text/html' } }).then(keep))
})
self.addEventListener('activate', (event) => event.waitUntil(self.clients.claim()))
self.addEventListener('fetch', (event) => {
  const { request } = event
  const url = new URL(request.url)
  if (request.method !== 'GET' || url.origin !== self.location.origin) return
  if (request.mode === 'navigate' && url.pathname === '/') event.respondWith(page(request))
  else if (url.pathname.startsWith('/assets/')) event.respondWith(file(request))
})
