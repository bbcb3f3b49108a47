// KaTeX with its style sheet, in a chunk of its own.
import katex from 'katex'
import 'katex/dist/katex.min.css'

// Draws the formula; false where it cannot be read.
export function render(tex: string, element: HTMLElement, displayMode: boolean): boolean {
  try {
    katex.render(tex, element, { displayMode, throwOnError: true, trust: false, strict: 'ignore', maxSize: 30, maxExpand: 500, output: 'htmlAndMathml' })
    return true
  } catch {
    return false
  }
}
