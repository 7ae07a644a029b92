/** A text from outside for a message: the first `most` characters, with a mark where it was cut. */
export function shorten(text: string, most = 100): string {
  return text.length > most ? `${text.slice(0, most)}...` : text;
}
