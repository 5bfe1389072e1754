// The few things of a browser that modules ask for when they are loaded.
const box = new Map<string, string>()
const storage = {
  getItem: (k: string) => box.get(k) ?? null,
  setItem: (k: string, v: string) => void box.set(k, v),
  removeItem: (k: string) => void box.delete(k),
}
Object.assign(globalThis, { sessionStorage: storage, localStorage: storage, document: { hidden: true } })
