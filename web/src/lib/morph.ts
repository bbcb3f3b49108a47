// Makes one DOM tree equal to another while keeping the nodes that stay the same, so that selections,
// focus, scroll positions and drawn formulas survive while an answer grows.

const KEPT = new Set(['data-wrap', 'data-shown'])  // state of the page, not of the text

function alike(a: Node, b: Node): boolean {
  if (a.nodeName !== b.nodeName) return false
  return !(a instanceof Element && b instanceof Element) || a.getAttribute('data-tex') === b.getAttribute('data-tex')
}

function update(old: Node, fresh: Node): void {
  if (old instanceof CharacterData && fresh instanceof CharacterData) {
    if (old.data !== fresh.data) old.data = fresh.data
    return
  }
  if (!(old instanceof Element) || !(fresh instanceof Element) || old.hasAttribute('data-tex')) return
  for (const { name, value } of fresh.attributes) {
    if (old.getAttribute(name) !== value) old.setAttribute(name, value)
  }
  for (const { name } of [...old.attributes]) {
    if (!fresh.hasAttribute(name) && !KEPT.has(name)) old.removeAttribute(name)
  }
  morph(old, fresh)
}

export function morph(old: Node, fresh: Node): void {
  let at = old.firstChild
  for (const wanted of [...fresh.childNodes]) {
    if (!at) {
      old.appendChild(wanted)
      continue
    }
    const next: ChildNode | null = at.nextSibling
    if (alike(at, wanted)) update(at, wanted)
    else old.replaceChild(wanted, at)
    at = next
  }
  while (at) {
    const next: ChildNode | null = at.nextSibling
    at.remove()
    at = next
  }
}
