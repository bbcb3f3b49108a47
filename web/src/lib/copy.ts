// Puts text on the clipboard. The modern way needs a secure context, which a plain address on a local
// network is not; there the old way still works.
export async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text)
    return true
  } catch {
    const area = document.createElement('textarea')
    area.value = text
    area.className = 'offscreen'
    const before = document.activeElement
    const holder = document.querySelector('dialog[open]') ?? document.body
    holder.append(area)
    area.select()
    const done = document.execCommand('copy')
    area.remove()
    if (before instanceof HTMLElement) before.focus()
    return done
  }
}
