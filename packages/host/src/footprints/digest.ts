/**
 * A short text that is equal for equal data, and differs for different data: by chance, two of 2^64 texts share one. It is not a
 * cryptographic hash: somebody can make a text with a given digest.
 *
 * A hash of its own, because loading `node:crypto` takes longer than a decision whose estimates are all cached.
 */
export function digestOf(data: unknown): string {
  const text = JSON.stringify(data);
  const length = Buffer.byteLength(text);
  // Four bytes at a time. The rest of the last word is 0.
  const words = new Int32Array(Math.ceil(length / 4));
  Buffer.from(words.buffer).write(text);
  let [a, b, c, d] = [0x2545f491, 0x3c6ef372, 0x5be0cd19, length];
  for (const word of words) {
    // Each part takes over bits of the one before, so that the four parts do not change in step.
    a = Math.imul(a ^ word, 0x85ebca6b) ^ (d >>> 13);
    b = Math.imul(b ^ word, 0xc2b2ae35) ^ (a >>> 15);
    c = Math.imul(c ^ word, 0x27d4eb2f) ^ (b >>> 14);
    d = Math.imul(d ^ word, 0x165667b1) ^ (c >>> 16);
  }
  return [a, b, c, d].map((part) => (part >>> 0).toString(36)).join('.');
}
