import { mount } from 'svelte'
import App from './App.svelte'
import './styles/base.css'
import './styles/markdown.css'
import { chats } from './lib/chats.svelte'
import { connection } from './lib/connection.svelte'
import { settings } from './lib/settings.svelte'
import { ui } from './lib/ui.svelte'

// A worker may look after the whole page only where the server says so with this header; asking
// first keeps the console clean where it does not.
async function keepForLater() {
  const worker = document.querySelector<HTMLMetaElement>('meta[name="worker"]')?.content
  if (!worker || !('serviceWorker' in navigator)) return
  try {
    const allowed = (await fetch(worker)).headers.get('service-worker-allowed')
    if (allowed === '/') await navigator.serviceWorker.register(worker, { scope: '/' })
  } catch { /* the server is away, or workers are turned off: the page does without */ }
}

async function start() {
  await settings.load()
  mount(App, { target: document.getElementById('app')! })
  await Promise.all([chats.load(), connection.refresh()])
  if (!matchMedia('(pointer: coarse)').matches) ui.focusComposer()
}

void start().then(keepForLater)
