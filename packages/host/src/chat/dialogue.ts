import type { AnswerPiece } from './stream-answer.js';
import type { ChatModel, Conversation } from './conversation.js';
import { HostError } from '../host-error.js';
import { orAborted } from '../promises/or-aborted.js';

/** Shows a dialogue, and reports when the person wants to stop an answer. */
export interface DialogueView {
  /** Called before each line is read. */
  readonly ready: () => void;
  /** A remark, such as the model that answers. */
  readonly note: (text: string) => void;
  /** A piece of an answer. */
  readonly piece: (piece: AnswerPiece) => void;
  /** An answer has ended. `isWhole` is false where it was stopped. */
  readonly answered: (text: string, model: ChatModel | null, isWhole: boolean) => void;
  /** A line failed. Throws the error again to end the dialogue. */
  readonly failed: (error: unknown) => void;
  /** Called with a function that stops the answer, and with null after the answer. */
  readonly stoppable: (stop: (() => void) | null) => void;
}

/** The commands of a dialogue, for help texts. */
export const DIALOGUE_COMMANDS = ['/model KEY', '/new', '/why', '/quit'] as const;

/** The name for the best model that fits. */
const AUTO = 'auto';

/** The model key of a name that a person gives; null for `auto`. */
export function chatModelOf(name: string): string | null {
  return name === AUTO ? null : name;
}

/**
 * Answers each line, until `/quit` or the last line. A line that begins with `/` is a command.
 *
 * @param lines - what the person asks, without empty lines, such as of `readLines` or `readTypedLines`
 * @throws what `view.failed` throws; the signal's reason
 */
export async function runDialogue(
  chat: Conversation,
  lines: AsyncIterator<string>,
  view: DialogueView,
  signal: AbortSignal,
): Promise<void> {
  for (;;) {
    view.ready();
    // A read from a terminal may never end, so the signal ends it.
    const next = await orAborted(lines.next(), signal);
    if (next.done === true) return;
    if (next.value === '/quit') return void (await lines.return?.());
    const line = next.value;
    try {
      if (line.startsWith('/')) await runCommand(line, chat, view);
      else await answer(line, chat, view, signal);
    } catch (error) {
      signal.throwIfAborted();
      view.failed(error);
    }
  }
}

async function runCommand(line: string, chat: Conversation, { note }: DialogueView): Promise<void> {
  const [name, key] = line.split(/\s+/);
  if (name === '/model') {
    if (key !== undefined) chat.use(chatModelOf(key));
    const served = chat.model === null ? '' : ` The last answer is from ${chat.model.modelKey}.`;
    note(`The next question goes to ${chat.wanted ?? 'the best model that fits'}.${served}`);
  } else if (name === '/new') {
    chat.restart();
    note('The next question begins a new conversation.');
  } else if (name === '/why') {
    const why = await chat.why();
    if (why === null) note('No decision was logged yet. Ask something first.');
    else {
      note(`${why.headline}.`);
      for (const [label, text] of why.sentences) note(`${label}: ${text}`);
    }
  } else {
    throw new HostError(
      'INVALID_REQUEST',
      `There is no command ${line}. The commands are ${DIALOGUE_COMMANDS.join(', ')}.`,
    );
  }
}

async function answer(
  line: string,
  chat: Conversation,
  view: DialogueView,
  signal: AbortSignal,
): Promise<void> {
  const stop = new AbortController();
  const before = chat.model?.modelKey ?? null;
  let text = '';
  view.stoppable(() => stop.abort());
  try {
    await chat.ask(line, {
      signal: AbortSignal.any([signal, stop.signal]),
      onLoading: (modelKey) => view.note(`Loading ${modelKey}.`),
      onModel: ({ modelKey }) => {
        if (modelKey !== before) view.note(`${modelKey} answers.`);
      },
      onPiece: (piece) => {
        if (piece.kind === 'text') text += piece.text;
        view.piece(piece);
      },
    });
    view.answered(text, chat.model, true);
  } catch (error) {
    if (!stop.signal.aborted || signal.aborted) throw error;
    view.answered(text, chat.model, false);
  } finally {
    view.stoppable(null);
  }
}
