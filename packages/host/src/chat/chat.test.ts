import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { HostError } from '../host-error.js';
import type { Conversation } from './conversation.js';
import { createConversation } from './create-conversation.js';
import { runDialogue, type DialogueView } from './dialogue.js';
import { readLines } from './read-lines.js';
import type { ChatMessage } from './stream-answer.js';

interface Asked {
  readonly model: string;
  readonly messages: readonly ChatMessage[];
  readonly stream: boolean;
}

let server: Server;
let baseUrl: string;
/** The bodies of the requests so far. */
let asked: Asked[];
let authorizations: (string | undefined)[];
let reply: (response: ServerResponse, body: Asked) => void;
let released: number;

beforeEach(async () => {
  asked = [];
  authorizations = [];
  released = 0;
  reply = (response) => say(response, 'Hello', ' there');
  server = createServer((request, response) => {
    let text = '';
    request.on('data', (chunk: Buffer) => (text += chunk.toString()));
    request.on('end', () => {
      const body = JSON.parse(text) as Asked;
      asked.push(body);
      authorizations.push(request.headers.authorization);
      reply(response, body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

const chunk = (delta: object, finish: string | null = null): string =>
  `data: ${JSON.stringify({ choices: [{ delta, finish_reason: finish }] })}\n\n`;

/** Streams an answer. The last piece is cut in the middle of a line. */
function say(response: ServerResponse, ...pieces: readonly string[]): void {
  for (const piece of pieces) response.write(chunk({ content: piece }));
  const end = `${chunk({}, 'stop')}data: [DONE]\n\n`;
  response.write(end.slice(0, 20));
  setImmediate(() => response.end(end.slice(20)));
}

/** A host with one leased model for each model key. */
const host: Parameters<typeof createConversation>[0] = {
  serving: {
    plan: ({ modelKey }) => Promise.resolve({ decision: 'load', modelKey: modelKey ?? 'best' }),
  },
  acquire: (requirement = {}) => {
    const modelKey = requirement.modelKey ?? 'best';
    if (modelKey === 'absent') {
      return Promise.reject(new HostError('MODEL_NOT_FOUND', 'There is no model "absent".'));
    }
    const release = (): Promise<void> => Promise.resolve(void (released += 1));
    return Promise.resolve({
      modelKey,
      instanceIdentifier: `mai/${modelKey}`,
      tier: 'small' as const,
      capabilities: ['chat' as const],
      contextLengthTokens: 4096,
      decisionId: null,
      baseUrl,
      requestHeaders: { authorization: 'Bearer secret' },
      lost: new AbortController().signal,
      release,
      [Symbol.asyncDispose]: release,
    });
  },
  decisions: () =>
    Promise.resolve({ log: 'log', address: 'embedded', episodes: [], unreadable: [] }),
};

describe('a conversation', () => {
  test('sends the whole conversation with the token of the lease, and releases each lease', async () => {
    const chat = createConversation(host, null);
    const pieces: string[] = [];
    const onPiece = ({ text }: { readonly text: string }): void => void pieces.push(text);
    expect(await chat.ask('One?', { onPiece })).toBe('Hello there');
    expect(pieces).toEqual(['Hello', ' there']);
    await chat.ask('Two?');
    expect(asked[1]).toEqual({
      model: 'mai/best',
      stream: true,
      messages: [
        { role: 'user', content: 'One?' },
        { role: 'assistant', content: 'Hello there' },
        { role: 'user', content: 'Two?' },
      ],
    });
    expect(authorizations).toEqual(['Bearer secret', 'Bearer secret']);
    expect(released).toBe(2);
  });

  test('separates reasoning from the answer, and keeps only the answer in the conversation', async () => {
    reply = (response) => {
      response.write(chunk({ reasoning_content: 'Hm.' }));
      say(response, 'Yes');
    };
    const chat = createConversation(host, null);
    const kinds: string[] = [];
    expect(await chat.ask('?', { onPiece: ({ kind }) => kinds.push(kind) })).toBe('Yes');
    expect(kinds).toEqual(['reasoning', 'text']);
  });

  test('forgets a question that was refused, and names the reason', async () => {
    reply = (response) => {
      response.writeHead(400, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ error: { message: 'The context is full.' } }));
    };
    const chat = createConversation(host, null);
    await expect(chat.ask('Too long')).rejects.toMatchObject({
      code: 'ANSWER_FAILED',
      message: 'mai/best did not answer: The context is full. Ask again.',
    });
    reply = (response) => say(response, 'Fine');
    await chat.ask('Short');
    expect(asked[1]?.messages).toEqual([{ role: 'user', content: 'Short' }]);
  });

  test.each([
    // As the embedded engine says it, then as LM Studio does (lmstudio-bug-tracker #1755).
    [
      400,
      "This model's maximum context length is 2048 tokens, and the input has 2831 tokens.",
      ' /new begins a new conversation.',
    ],
    [
      400,
      'The number of tokens to keep from the initial prompt is greater than the context length (n_keep: 10159 >= n_ctx: 8192).',
      ' /new begins a new conversation.',
    ],
    [501, 'best is an embedding model; choose a language model.', ''],
    [503, 'The engine is stopping.', ' Ask again.'],
  ])('after status %i with %j the next step is%s', async (status, message, next) => {
    reply = (response) => {
      response.writeHead(status, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ error: { message } }));
    };
    const chat = createConversation(host, null);
    await expect(chat.ask('?')).rejects.toMatchObject({
      message: `mai/best did not answer: ${message}${next}`,
    });
  });

  test('an answer that breaks off, or that ends with an error event, is a failure', async () => {
    const chat = createConversation(host, null);
    reply = (response) => response.end(chunk({ content: 'Hal' }));
    await expect(chat.ask('?')).rejects.toThrow(/the connection ended before the answer did/);
    reply = (response) =>
      response.end(`data: ${JSON.stringify({ error: { message: 'Gone' } })}\n\n`);
    await expect(chat.ask('?')).rejects.toThrow(/did not answer: Gone/);
  });

  test('keeps the part of an answer that was stopped', async () => {
    reply = (response) => void response.write(chunk({ content: 'Once upon' }));
    const chat = createConversation(host, null);
    const stop = new AbortController();
    const onPiece = (): void => stop.abort(new Error('stopped'));
    await expect(chat.ask('Tell', { signal: stop.signal, onPiece })).rejects.toThrow('stopped');
    reply = (response) => say(response, 'ok');
    await chat.ask('Go on');
    expect(asked[1]?.messages.map(({ content }) => content)).toEqual([
      'Tell',
      'Once upon',
      'Go on',
    ]);
    expect(released).toBe(2);
  });
});

describe('a dialogue', () => {
  /** Runs a dialogue, and returns what it shows. */
  async function run(
    lines: readonly string[],
    view: Partial<DialogueView> = {},
    chat?: Conversation,
  ) {
    const shown: string[] = [];
    const input = async function* (): AsyncGenerator<string> {
      for (const line of lines) yield await Promise.resolve(`${line}\n`);
    };
    await runDialogue(
      chat ?? createConversation(host, null),
      readLines(input()),
      {
        ready: () => undefined,
        note: (text) => shown.push(text),
        piece: () => undefined,
        answered: (text, model, isWhole) =>
          shown.push(`${model?.modelKey ?? ''}: ${text}${isWhole ? '' : ' …'}`),
        failed: (error) => shown.push(error instanceof Error ? error.message : 'no error'),
        stoppable: () => undefined,
        ...view,
      },
      new AbortController().signal,
    );
    return shown;
  }

  test('answers each line, and names the model where it changes', async () => {
    expect(await run(['Hi', 'Again', '/model other', 'And you?', '/quit', 'unread'])).toEqual([
      'Loading best.',
      'best answers.',
      'best: Hello there',
      'best: Hello there',
      'The next question goes to other. The last answer is from best.',
      'Loading other.',
      'other answers.',
      'other: Hello there',
    ]);
  });

  test('goes on after a failure, and says which commands exist', async () => {
    const shown = await run(['/model absent', 'Hi', '/what', '/model auto', '/why', 'Hi']);
    expect(shown).toEqual([
      'The next question goes to absent.',
      'Loading absent.',
      'There is no model "absent".',
      'There is no command /what. The commands are /model KEY, /new, /why, /quit.',
      'The next question goes to the best model that fits.',
      'No decision was logged yet. Ask something first.',
      'Loading best.',
      'best answers.',
      'best: Hello there',
    ]);
  });

  test('/new forgets the conversation, so a question fits again', async () => {
    await run(['One', '/new', 'Two']);
    expect(asked.map(({ messages }) => messages.map(({ content }) => content))).toEqual([
      ['One'],
      ['Two'],
    ]);
  });

  test('stops an answer, and goes on', async () => {
    let stop: (() => void) | null = null;
    reply = (response, { messages }) =>
      messages.length === 1
        ? void response.write(chunk({ content: 'Once upon' }))
        : say(response, 'ok');
    let isFirst = true;
    const view = {
      stoppable: (given: (() => void) | null): void => void (stop = given),
      piece: (): void => {
        if (isFirst) stop?.();
        isFirst = false;
      },
    };
    expect(await run(['Tell', 'Go on'], view)).toEqual([
      'Loading best.',
      'best answers.',
      'best: Once upon …',
      'best: ok',
    ]);
  });
});
