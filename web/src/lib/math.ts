// Fills the elements that markdown_math.ts left. katex.render sets styles through the DOM, which a
// content security policy without 'unsafe-inline' allows; HTML text with style attributes would not be.
let katex: Promise<typeof import('./katex')> | undefined

function fill(element: HTMLElement, render: typeof import('./katex').render) {
  const tex = element.dataset.tex ?? ''
  if (element.dataset.shown === tex) return
  element.dataset.shown = tex
  if (!render(tex, element, element.dataset.display === 'true')) {
    element.textContent = tex
    element.classList.add('math-broken')
  }
}

export function fillMath(root: HTMLElement): void {
  const elements = root.querySelectorAll<HTMLElement>('.math')
  if (elements.length === 0) return
  katex ??= import('./katex')
  katex.then(({ render }) => elements.forEach((each) => fill(each, render)), () => { katex = undefined })
}
