// The browser's database. Where it is not available (a private window of some browsers) everything
// is kept in memory, and `persistent` says so.
import type { Conversation, Message } from './types'

const NAME = 'hadal'
const VERSION = 1

function promised<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error)
  })
}

function finished(transaction: IDBTransaction): Promise<void> {
  return new Promise((resolve, reject) => {
    transaction.oncomplete = () => resolve()
    transaction.onabort = () => reject(transaction.error)
    transaction.onerror = () => reject(transaction.error)
  })
}

function open(): Promise<IDBDatabase> {
  const request = indexedDB.open(NAME, VERSION)
  request.onupgradeneeded = () => {
    const db = request.result
    db.createObjectStore('conversations', { keyPath: 'id' })
    db.createObjectStore('messages', { keyPath: 'id' }).createIndex('conversation', 'conversation')
    db.createObjectStore('values')
  }
  return promised(request)
}

class Store {
  persistent = true
  // Where the database is missing nothing needs to be read again, so writes are dropped.
  private db: Promise<IDBDatabase | null> | undefined

  private opened(): Promise<IDBDatabase | null> {
    this.db ??= open().catch(() => {
      this.persistent = false
      return null
    })
    return this.db
  }

  private async read<T>(store: string, ask: (from: IDBObjectStore) => IDBRequest<T>, otherwise: T): Promise<T> {
    const db = await this.opened()
    return db ? promised(ask(db.transaction(store).objectStore(store))) : otherwise
  }

  // `act` asks for all its changes at once. The end is asked for with them, so that they are kept also
  // where the page is left the moment after.
  private async write(stores: string[], act: (transaction: IDBTransaction) => void): Promise<void> {
    const db = await this.opened()
    if (!db) return
    const transaction = db.transaction(stores, 'readwrite')
    const done = finished(transaction)
    act(transaction)
    transaction.commit()
    await done
  }

  conversations(): Promise<Conversation[]> {
    return this.read<Conversation[]>('conversations', (from) => from.getAll(), [])
  }

  messages(conversation: string): Promise<Message[]> {
    return this.read<Message[]>('messages', (from) => from.index('conversation').getAll(conversation), [])
  }

  allMessages(): Promise<Message[]> {
    return this.read<Message[]>('messages', (from) => from.getAll(), [])
  }

  save(conversations: Conversation[], messages: Message[]): Promise<void> {
    return this.write(['conversations', 'messages'], (transaction) => {
      for (const each of conversations) transaction.objectStore('conversations').put(each)
      for (const each of messages) transaction.objectStore('messages').put(each)
    })
  }

  removeMessages(ids: Iterable<string>): Promise<void> {
    return this.write(['messages'], (transaction) => {
      for (const id of ids) transaction.objectStore('messages').delete(id)
    })
  }

  async removeConversation(id: string): Promise<void> {
    const ids = await this.read<IDBValidKey[]>('messages', (from) => from.index('conversation').getAllKeys(id), [])
    await this.write(['conversations', 'messages'], (transaction) => {
      transaction.objectStore('conversations').delete(id)
      for (const each of ids) transaction.objectStore('messages').delete(each)
    })
  }

  removeAll(): Promise<void> {
    return this.write(['conversations', 'messages'], (transaction) => {
      transaction.objectStore('conversations').clear()
      transaction.objectStore('messages').clear()
    })
  }

  value<T>(key: string): Promise<T | undefined> {
    return this.read<T | undefined>('values', (from) => from.get(key), undefined)
  }

  setValue(key: string, value: unknown): Promise<void> {
    return this.write(['values'], (transaction) => {
      if (value === undefined) transaction.objectStore('values').delete(key)
      else transaction.objectStore('values').put(value, key)
    })
  }
}

export const store = new Store()

// 128 random bits. crypto.randomUUID needs a secure context, which a plain LAN address is not.
export function newId(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('')
}
