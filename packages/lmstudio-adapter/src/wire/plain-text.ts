// eslint-disable-next-line no-control-regex -- ANSI escapes are what this removes
const ANSI = /\u001b\[[0-9;?]*[ -/]*[@-~]/g;
const BOX = /[\u2500-\u257f]+/g;

/** A message of the SDK or of LM Studio without colours, boxes and line breaks. */
export function plainText(text: string): string {
  return text.replace(ANSI, '').replace(BOX, ' ').replace(/\s+/g, ' ').trim();
}
