// Answers lines of JSON on stdin with lines of JSON on stdout, in the same order.
import { TextDecoder } from 'node:util';

/**
 * Prints the answer to each line that is not empty. A line that is not a JSON object, or whose answer fails, gives
 * `{"error"}` with the number of the line. Lines end in LF or CRLF. A byte order mark at the start is skipped.
 */
export async function answerLines(answerOf) {
  let number = 0;
  process.stdout.on('error', (error) => {
    // A reader that needs no more answers closes the pipe.
    if (error.code === 'EPIPE') process.exit(0);
    throw error;
  });
  for await (const line of linesOf(process.stdin)) {
    number += 1;
    if (line.trim() === '') continue;
    if (!process.stdout.write(`${JSON.stringify(answerTo(line, number, answerOf))}\n`))
      await new Promise((resolve) => process.stdout.once('drain', resolve));
  }
}

function answerTo(line, number, answerOf) {
  let given;
  try {
    given = JSON.parse(line);
  } catch (error) {
    return { error: `Line ${number} is not JSON: ${error.message}` };
  }
  if (given === null || typeof given !== 'object' || Array.isArray(given))
    return { error: `Line ${number} is not a JSON object.` };
  try {
    return answerOf(given);
  } catch (error) {
    return { error: `Line ${number}: ${error instanceof Error ? error.message : String(error)}` };
  }
}

/** The figure of a field; some write it as text. Null: it is not a figure. */
export function numberOf(value) {
  const number = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
  return Number.isFinite(number) ? number : null;
}

/** `node:readline` also splits at U+2028, which may stand in a JSON string. */
async function* linesOf(stream) {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const chunk of stream) {
    const parts = decoder.decode(chunk, { stream: true }).split('\n');
    parts[0] = rest + parts[0];
    rest = parts.pop();
    yield* parts;
  }
  rest += decoder.decode();
  if (rest !== '') yield rest;
}
