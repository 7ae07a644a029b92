import { StringDecoder } from 'node:string_decoder';

/** The lines of a stream as they arrive, without line breaks and empty lines. */
export async function* readLines(
  chunks: AsyncIterable<string | Uint8Array>,
): AsyncGenerator<string> {
  const decoder = new StringDecoder('utf8');
  // Chunks are joined once, at the end of the line, so that long lines are not copied for every
  // chunk.
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
