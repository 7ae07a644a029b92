import {
  chatModelOf,
  DIALOGUE_COMMANDS,
  readLines,
  readTypedLines,
  runDialogue,
  type DialogueView,
} from '@mai/host';
import type { Input } from '../arguments/input.js';
import type { CommandContext } from '../context.js';
import { EXIT, errorJson, type ExitCode } from '../exit-codes.js';
import { openHostOf } from '../open-host.js';

/** `mai chat`: a conversation in the terminal. */
export async function run(context: CommandContext, input: Input): Promise<ExitCode> {
  const { io, output, signal } = context;
  const { json, style, noteStyle } = output;
  const live = io.stdout.isTTY && !json;
  await using host = await openHostOf(context);
  const chat = await host.chat(chatModelOf(input.positionals[0] ?? 'auto'));
  const commands = DIALOGUE_COMMANDS.join(', ');
  if (live) output.note(`Each line is a question. Ctrl-C stops an answer. Commands: ${commands}.`);
  const prompt = style.accent('> ');
  const terminal = live ? io.terminal : null;
  // The answer can end right before Ctrl-C, so one alone does not leave.
  let isStopped = false;
  let interrupts = 0;
  const interruptLine = (): void => {
    interrupts += 1;
    if (interrupts > 1) io.interrupt();
    else output.note('Press Ctrl-C again or Ctrl-D to leave.');
  };
  const view: DialogueView = {
    ready: () => {
      interrupts = isStopped ? 1 : 0;
      isStopped = false;
      if (live && terminal === null) output.result(prompt);
    },
    note: (text) => output.note(noteStyle.dim(text)),
    piece: ({ kind, text }) => {
      if (!json) output.result(kind === 'reasoning' ? style.dim(text) : text);
    },
    answered: (text, model, isWhole) => {
      if (json) output.lineJson({ modelKey: model?.modelKey ?? null, text, stopped: !isWhole });
      else output.result('\n');
    },
    failed: (error) => {
      // A person can ask again. A script needs the exit code.
      if (!live) throw error;
      output.fail(errorJson(error).message);
    },
    stoppable: (stop) => {
      const interruptAnswer = (): void => {
        isStopped = true;
        stop?.();
      };
      io.onInterrupt(stop === null ? null : interruptAnswer);
    },
  };
  const lines =
    terminal === null
      ? readLines(io.stdin)
      : readTypedLines(terminal, { prompt, onInterrupt: interruptLine, signal });
  await runDialogue(chat, lines, view, signal);
  return EXIT.success;
}
