/** What stands there until what is shown has come. */
export const Loading = () => (
  <p class="loading hint" aria-busy="true">
    Loading …
  </p>
)
