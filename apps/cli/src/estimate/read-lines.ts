import { StringDecoder } from 'node:string_decoder';

/** The lines of a stream as they come, without their ends; empty ones are left out. */
export async function* readLines(
  chunks: AsyncIterable<string | Uint8Array>,
): AsyncGenerator<string> {
  const decoder = new StringDecoder('utf8');
  // Joined at its end alone: a line of many chunks is not copied with each of them.
  let parts: string[] = [];
  for await (const chunk of chunks) {
    const text = typeof chunk === 'string' ? chunk : decoder.write(Buffer.from(chunk));
    const [rest = '', ...lines] = text.split('\n').reverse();
    for (const line of lines.reverse()) {
      const whole = [...parts, line].join('').trim();
      parts = [];
      if (whole !== '') yield whole;
    }
    parts.push(rest);
  }
  const last = [...parts, decoder.end()].join('').trim();
  if (last !== '') yield last;
}
