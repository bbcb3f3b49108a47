// The API key lives as long as the tab: in session storage, never on disk and never in an export.
const NAME = 'hadal-api-key'

class Key {
  value = $state('')

  constructor() {
    try {
      this.value = sessionStorage.getItem(NAME) ?? ''
    } catch { /* storage is off */ }
  }

  set(value: string): void {
    this.value = value.trim()
    try {
      if (this.value === '') sessionStorage.removeItem(NAME)
      else sessionStorage.setItem(NAME, this.value)
    } catch { /* storage is off: it holds until the page is left */ }
  }
}

export const key = new Key()
