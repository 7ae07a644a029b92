import type { CommandContext } from '../context.js';
import { wrap } from '../terminal/text.js';

/** Prints a story on stdout, chapter by chapter, with pauses for reading. Silent with --json. */
export interface Stage {
  /** Without the pauses for reading. */
  readonly fast: boolean;
  readonly heading: (title: string, label?: string) => void;
  readonly say: (text: string) => void;
  /** A paragraph of the chapter. */
  readonly text: (text: string) => void;
  /** Lines that already have their layout. */
  readonly lines: (lines: readonly string[]) => void;
  readonly pause: (durationMs: number) => Promise<void>;
}

export function createStage(context: CommandContext, fast: boolean): Stage {
  const { io, output, signal } = context;
  const { style } = output;
  // Without a terminal there is no reader to wait for.
  const paced = !fast && output.stdout.isTTY && !output.json;
  let chapter = 0;
  const print = (text: string) => {
    if (!output.json) output.result(`${text}\n`);
  };
  return {
    fast: !paced,
    heading: (title, label) => {
      chapter += 1;
      print(
        `\n${style.accent(`${chapter}.`)} ${style.heading(title)}${label === undefined ? '' : `  ${label}`}`,
      );
    },
    say: (text) => print(wrap(text, output.textWidth).join('\n')),
    text: (text) => {
      for (const line of wrap(text, output.textWidth - 2)) print(`  ${line}`);
    },
    lines: (lines) => {
      for (const line of lines) print(line);
    },
    pause: async (durationMs) => {
      if (paced) await io.sleep(durationMs, signal);
      else signal.throwIfAborted();
    },
  };
}
