import { createInterface } from 'node:readline';
import { PassThrough, type Readable, type Writable } from 'node:stream';
import { createPastedText } from './pasted-text.js';

/** The keyboard and the screen of a person: two streams of `node:tty`. */
export interface Terminal {
  readonly input: Readable & { readonly setRawMode: (raw: boolean) => unknown };
  readonly output: Writable;
}

/** How lines are read from a terminal. */
export interface TypedLinesOptions {
  readonly prompt: string;
  /** Called for Ctrl-C while a line is typed. The line is dropped, and the next one begins. */
  readonly onInterrupt: () => void;
  /** Ends the lines. */
  readonly signal: AbortSignal;
}

const RESUME_MS = 50;
const PASTE_MARKS_ON = '\u001b[?2004h';
const PASTE_MARKS_OFF = '\u001b[?2004l';

/**
 * The lines that a person types, without empty lines, until Ctrl-D, the end of the terminal or the signal. The person can edit a
 * line and take an earlier one. A pasted text belongs to one line.
 *
 * The terminal's own line editor would cut a line after 4095 bytes and take each line of a pasted text as a line. So the
 * terminal is in raw mode while a line is typed, and only then, because Ctrl-C must reach the process during an answer.
 */
export async function* readTypedLines(
  { input, output }: Terminal,
  { prompt, onInterrupt, signal }: TypedLinesOptions,
): AsyncGenerator<string> {
  const pasted = createPastedText();
  const keys = new PassThrough();
  const editor = createInterface({ input: keys, output, terminal: true, prompt });
  const typed: string[] = [];
  let isReading = false;
  let isEnded = false;
  let wake: () => void = () => undefined;

  const feed = (chunk: string | Uint8Array): void => void keys.write(pasted.take(chunk));
  const begin = (): void => {
    if (isReading || isEnded) return;
    isReading = true;
    input.setRawMode(true);
    output.write(PASTE_MARKS_ON);
    input.on('data', feed);
    input.resume();
    // The argument keeps the cursor behind what was typed before.
    editor.prompt(true);
  };
  const pause = (): void => {
    if (!isReading) return;
    isReading = false;
    input.off('data', feed);
    input.pause();
    output.write(PASTE_MARKS_OFF);
    input.setRawMode(false);
  };
  const end = (): void => {
    pause();
    if (!isEnded) editor.close();
  };
  editor.on('line', (line) => {
    typed.push(pasted.expand(line).trim());
    wake();
  });
  editor.on('close', () => {
    isEnded = true;
    wake();
  });
  editor.on('SIGINT', () => {
    // Moves to the end and deletes the line, so that only its prompt is left.
    editor.write(null, { ctrl: true, name: 'e' });
    editor.write(null, { ctrl: true, name: 'u' });
    output.write('\r\n');
    onInterrupt();
    if (isReading) editor.prompt();
  });
  // Ctrl-Z: the shell gets the terminal as it was.
  editor.on('SIGTSTP', () => {
    pause();
    process.kill(process.pid, 'SIGTSTP');
    // Runs once the shell continues this process, or soon where no shell has stopped it.
    setTimeout(begin, RESUME_MS);
  });
  // A terminal that was closed can end with an error.
  for (const event of ['end', 'close', 'error']) input.on(event, end);
  signal.addEventListener('abort', end, { once: true });
  try {
    if (signal.aborted) end();
    for (;;) {
      const line = typed.shift();
      if (line !== undefined && line !== '') {
        pause();
        yield line;
      } else if (isEnded) return;
      else {
        // Still reading: the line was empty.
        if (isReading) editor.prompt();
        else begin();
        if (typed.length === 0) await new Promise<void>((resolve) => (wake = resolve));
      }
    }
  } finally {
    signal.removeEventListener('abort', end);
    for (const event of ['end', 'close']) input.off(event, end);
    end();
  }
}
