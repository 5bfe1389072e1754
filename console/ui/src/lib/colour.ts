// Colours that differ for people who see colours differently (Okabe and Ito), dark enough on light ground.
export const palette = ['#0072b2', '#009e73', '#d55e00', '#cc79a7', '#b8860b', '#6a51a3', '#117a8b', '#8b4513']

/** The colour of a fence that has none of its own: always the same for an id. */
export function colourOf(id: string, own?: unknown): string {
  if (typeof own === 'string' && /^#[0-9a-f]{6}$/i.test(own)) return own
  let h = 0
  for (let i = 0; i < id.length; i++) h = (h * 31 + id.charCodeAt(i)) >>> 0
  return palette[h % palette.length]
}
