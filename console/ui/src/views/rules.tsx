export function Rules() {
  return (
    <section class="sheet" aria-label="Rules">
      <header class="sheethead">
        <h1>Rules</h1>
      </header>
    </section>
  )
}
