import type { Conversation } from '@mai/host';
import type { Input } from '../command-line/input.js';
import type { CommandContext } from '../context.js';
import { readLines } from '../estimate/read-lines.js';
import { EXIT, errorJson, type ExitCode } from '../exit-codes.js';
import { openHostOf } from '../open-host.js';
import { SCHEMA_VERSION } from '../terminal/output.js';
import { wrapBehind } from '../terminal/text.js';
import { UsageError } from '../usage-error.js';

/** `mai chat`: a conversation in the terminal. */
export async function run(context: CommandContext, input: Input): Promise<ExitCode> {
  const { io, output } = context;
  const live = io.stdout.isTTY && !output.json;
  await using host = await openHostOf(context);
  const chat = await host.chat(keyOf(input.positionals[0] ?? 'auto'));
  if (live) output.note('Ctrl-C stops an answer. /model KEY, /why and /quit are commands.');
  const prompt = (): void => (live ? output.result(output.style.accent('> ')) : undefined);
  prompt();
  for await (const line of untilAborted(readLines(io.stdin), context.signal)) {
    if (line === '/quit') break;
    try {
      if (line.startsWith('/')) await command(line, chat, context);
      else await answer(line, chat, context);
    } catch (error) {
      // A person can ask again. A script needs the exit code.
      if (!live || context.signal.aborted) throw error;
      output.fail(errorJson(error).message);
    }
    prompt();
  }
  return EXIT.success;
}

function keyOf(name: string): string | null {
  return name === 'auto' ? null : name;
}

async function command(line: string, chat: Conversation, { output }: CommandContext) {
  const [name, key] = line.split(/\s+/);
  if (name === '/model') {
    if (key !== undefined) chat.use(keyOf(key));
    const served = chat.model === null ? '' : ` The last answer is from ${chat.model.modelKey}.`;
    output.note(`The next answer is from ${chat.wanted ?? 'the best model that fits'}.${served}`);
  } else if (name === '/why') {
    const why = await chat.why();
    const told = why === null ? [] : [['', why.headline] as const, ...why.sentences];
    if (why === null) output.note('No decision was logged yet. Ask something first.');
    for (const [label, text] of told) {
      output.note(wrapBehind(label === '' ? '' : `${label}: `, text, output.textWidth).join('\n'));
    }
  } else {
    throw new UsageError(`There is no command ${line}. Use /model, /why or /quit.`);
  }
}

async function answer(line: string, chat: Conversation, { io, output, signal }: CommandContext) {
  const stop = new AbortController();
  // The second Ctrl-C leaves, as anywhere else.
  io.onInterrupt(() => {
    const isFirst = !stop.signal.aborted;
    stop.abort();
    return isFirst;
  });
  const { modelKey: before = null } = chat.model ?? {};
  const print = (text: string): void => (output.json ? undefined : output.result(text));
  try {
    const text = await chat.ask(line, {
      signal: AbortSignal.any([signal, stop.signal]),
      onModel: ({ modelKey }) => {
        if (modelKey !== before) output.note(output.noteStyle.dim(`${modelKey} answers.`));
      },
      onPiece: ({ kind, text: piece }) =>
        print(kind === 'reasoning' ? output.style.dim(piece) : piece),
    });
    const record = { schemaVersion: SCHEMA_VERSION, modelKey: chat.model?.modelKey, text };
    output.result(output.json ? `${JSON.stringify(record)}\n` : '\n');
  } catch (error) {
    if (signal.aborted || !stop.signal.aborted) throw error;
    print('\n');
    output.note('Stopped.');
  } finally {
    io.onInterrupt(null);
  }
}

/** The values until the signal fires, also while the next value is awaited. @throws the signal's reason */
async function* untilAborted<Value>(
  values: AsyncGenerator<Value>,
  signal: AbortSignal,
): AsyncGenerator<Value> {
  const aborted = new Promise<never>((_, reject) => {
    const fail = (): void => reject(signal.reason as Error);
    if (signal.aborted) fail();
    else signal.addEventListener('abort', fail, { once: true });
  });
  aborted.catch(() => undefined);
  for (;;) {
    const next = await Promise.race([values.next(), aborted]);
    if (next.done === true) return;
    yield next.value;
  }
}
