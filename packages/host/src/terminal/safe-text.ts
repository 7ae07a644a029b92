const ESC = '\u001b';
/** Control characters except line breaks and tabs, and the characters that change the text direction. */
const UNSAFE = '\\u0000-\\u0008\\u000b-\\u001f\\u007f-\\u009f\\u202a-\\u202e\\u2066-\\u2069';
const SUSPICIOUS = new RegExp(`[${UNSAFE}]`);
// In this order: colours, other CSI sequences, operating system commands (OSC), single characters.
const SEQUENCES = new RegExp(
  `(${ESC}\\[[0-9;]*m)` +
    `|(?:${ESC}\\[|\\u009b)[0-?]*[ -/]*[@-~]` +
    `|(?:${ESC}\\]|\\u009d)[^\\u0007\\u001b\\u009c]*(?:\\u0007|\\u009c|${ESC}\\\\)?` +
    `|[${UNSAFE}]`,
  'g',
);

/**
 * Removes control sequences from a text. Model names and messages come from outside, and a sequence
 * in them could clear the screen. With `colours`, colour sequences stay.
 */
export function safeText(text: string, colours: boolean): string {
  if (!SUSPICIOUS.test(text)) return text;
  return text.replace(SEQUENCES, (_, colour: string | undefined) =>
    colours && colour !== undefined ? colour : '',
  );
}
