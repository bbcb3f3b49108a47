// Text attachments: what may be attached, and reading it.
import { S } from './strings'
import type { Attachment } from './types'

export const MOST_FILES = 8
export const MOST_FILE_BYTES = 1024 * 1024
export const MOST_TOTAL_BYTES = 4 * 1024 * 1024
export const LONG_PASTE = 8000  // characters; a longer paste becomes an attachment

async function read(file: File): Promise<Attachment> {
  if (file.type.startsWith('image/') && file.type !== 'image/svg+xml') throw new Error(S.noImages(file.name))
  if (file.type === 'application/pdf' || file.name.toLowerCase().endsWith('.pdf')) throw new Error(S.noPdf(file.name))
  if (file.size > MOST_FILE_BYTES) throw new Error(S.fileTooLarge(file.name, MOST_FILE_BYTES))
  let text: string
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(await file.arrayBuffer())
  } catch {
    throw new Error(S.notText(file.name))
  }
  if (text.includes('\0')) throw new Error(S.notText(file.name))
  return { name: file.name.slice(0, 200), text: text.replaceAll('\r\n', '\n') }
}

// The attachments with the files added, and why some were left out.
export async function attach(before: Attachment[], files: File[]): Promise<{ attachments: Attachment[]; problems: string[] }> {
  const attachments = [...before]
  const problems: string[] = []
  for (const file of files) {
    if (attachments.length >= MOST_FILES) {
      problems.push(S.tooManyFiles(MOST_FILES))
      break
    }
    try {
      const added = await read(file)
      const total = [...attachments, added].reduce((sum, each) => sum + each.text.length, 0)
      if (total > MOST_TOTAL_BYTES) throw new Error(S.filesTooLarge(MOST_TOTAL_BYTES))
      attachments.push(added)
    } catch (error) {
      problems.push(error instanceof Error ? error.message : String(error))
    }
  }
  return { attachments, problems }
}
