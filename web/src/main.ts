import { mount } from 'svelte'
import App from './App.svelte'
import './styles/base.css'
import './styles/markdown.css'
import { chats } from './lib/chats.svelte'
import { connection } from './lib/connection.svelte'
import { settings } from './lib/settings.svelte'
import { ui } from './lib/ui.svelte'

async function start() {
  await settings.load()
  mount(App, { target: document.getElementById('app')! })
  await Promise.all([chats.load(), connection.refresh()])
  if (!matchMedia('(pointer: coarse)').matches) ui.focusComposer()
}

void start()
