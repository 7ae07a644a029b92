// Takes and frees real memory. Each line on stdin is the number of bytes to hold from now on. Every page is written, so that
// the kernel must back it. Needs --expose-gc, which returns freed buffers at once.
import { createInterface } from 'node:readline';

const CHUNK = 16 * 1024 ** 2;
const held = [];

for await (const line of createInterface({ input: process.stdin })) {
  const wanted = Math.round(Number(line) / CHUNK);
  while (held.length < wanted) held.push(Buffer.alloc(CHUNK, 1));
  if (held.length > wanted) {
    held.length = wanted;
    globalThis.gc();
  }
}
