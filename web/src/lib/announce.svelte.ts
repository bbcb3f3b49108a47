// What a screen reader says by itself: one polite region, whose text is replaced.
class Announcer {
  text = $state('')
}

export const announcer = new Announcer()

export function announce(text: string): void {
  announcer.text = text
}

const PAUSE_MS = 4000

// Reads a growing answer aloud in whole sentences, every few seconds, not word by word.
export class Narrator {
  private last = performance.now()

  // `said`: how much of the text was read before.
  constructor(private said: number) {}

  follow(text: string): void {
    if (performance.now() - this.last < PAUSE_MS) return
    const fresh = text.slice(this.said)
    const end = Math.max(fresh.lastIndexOf('. '), fresh.lastIndexOf('.\n'), fresh.lastIndexOf('? '), fresh.lastIndexOf('! '), fresh.lastIndexOf('\n\n'))
    if (end < 0) return
    announce(fresh.slice(0, end + 1).trim())
    this.said += end + 1
    this.last = performance.now()
  }

  finish(text: string, ending: string): void {
    announce(`${text.slice(this.said).trim()} ${ending}`.trim())
  }
}
