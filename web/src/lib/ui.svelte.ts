// What is open on the screen.
export type DialogName = 'settings' | 'api' | 'help' | 'search' | 'model'
export type SettingsTab = 'chat' | 'sampling' | 'look' | 'data' | 'key'

export interface Question {
  title: string
  text: string
  action: string
  act: () => void
}

class Ui {
  dialog = $state<DialogName | null>(null)
  tab = $state<SettingsTab>('chat')
  live = $state(false)
  drawer = $state(false)  // the sidebar on a narrow screen
  narrow = $state(false)
  editing = $state<string | null>(null)  // a message
  renaming = $state<string | null>(null)  // a conversation
  question = $state<Question | null>(null)
  toast = $state('')
  private timer: ReturnType<typeof setTimeout> | undefined

  say(text: string): void {
    this.toast = text
    clearTimeout(this.timer)
    this.timer = setTimeout(() => { this.toast = '' }, 5000)
  }

  settings(tab: SettingsTab): void {
    this.tab = tab
    this.dialog = 'settings'
  }

  focusComposer(): void {
    setTimeout(() => document.querySelector<HTMLTextAreaElement>('#message')?.focus())
  }
}

export const ui = new Ui()
