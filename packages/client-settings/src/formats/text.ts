/** With this character some editors of Windows begin a file. */
export const BYTE_ORDER_MARK = '\uFEFF';

/** A text without a byte order mark at its start. */
export function withoutMark(text: string): string {
  return text.startsWith(BYTE_ORDER_MARK) ? text.slice(1) : text;
}

/** The line ending of a text: CRLF if any line has it. */
export function eolOf(text: string): string {
  return text.includes('\r\n') ? '\r\n' : '\n';
}
