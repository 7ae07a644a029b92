/** A text from outside with a full stop at its end, so that another sentence can follow. */
export function asSentence(text: string): string {
  const trimmed = text.trim();
  return /[.!?…]["')\]]?$/.test(trimmed) ? trimmed : `${trimmed}.`;
}
