import path from 'node:path';
import { TestEngines, bodyOf, type TestEngine } from '../../../test/engine-client.js';
import { writeNoiseWindowModel } from '../../../test/noise-window.js';
import { heldTokens, recognizeAnswer } from './held-tokens.js';

describe('With the real llama.cpp', () => {
  const engines = new TestEngines();
  beforeAll(() => engines.open());
  afterAll(() => engines.close());

  const ask = async (engine: TestEngine, messages: readonly object[], more: object = {}) => {
    const body = { model: 'tiny', messages, temperature: 0, max_tokens: 16, ...more };
    const { choices, usage } = await bodyOf(await engine.post('/v1/chat/completions', body));
    const { prompt_tokens: tokens, prompt_tokens_details: details } = usage;
    return {
      text: choices[0].message.content as string,
      tokens: tokens as number,
      answerTokens: usage.completion_tokens as number,
      cached: details.cached_tokens as number,
    };
  };
  const first = [{ role: 'user', content: 'hello' }];
  const second = (answer: string) => [
    ...first,
    { role: 'assistant', content: answer },
    { role: 'user', content: 'go on' },
  ];
  const CONTEXT = 2048;
  /** More than the spare cells of a cache for a window: those are at most 256. */
  const LONG = { max_tokens: 400 };

  it.each([
    ['all tokens', CONTEXT],
    ['a window', 32],
  ])(
    'a turn after a long answer computes only what is new, in a model whose layers see %s',
    async (_, windowTokens) => {
      const file = path.join(engines.folder, 'letters.gguf');
      await writeNoiseWindowModel(file, windowTokens);
      const cached = await engines.start(file, {
        contextLengthTokens: CONTEXT,
        parallelSequences: 1,
      });
      const plain = await engines.start(file, {
        contextLengthTokens: CONTEXT,
        parallelSequences: 2,
      });
      const answer = await ask(cached, first, LONG);
      expect(answer.text).toMatch(/^[a-z]{400}$/);
      const next = await ask(cached, second(answer.text));
      // The last token of an answer has no cells.
      expect(next.cached).toBe(answer.tokens + LONG.max_tokens - 1);
      const other = await ask(plain, second(answer.text));
      expect(other).toEqual({ ...next, cached: 0 });
    },
  );

  it('a turn computes an answer that the client has changed, from the change on', async () => {
    const file = path.join(engines.folder, 'changed.gguf');
    await writeNoiseWindowModel(file, CONTEXT);
    const cached = await engines.start(file, { parallelSequences: 1 });
    const plain = await engines.start(file, { parallelSequences: 2 });
    for (const kept of [0, 1, 20, 39, 40]) {
      const answer = await ask(cached, first, { max_tokens: 40 });
      const changed = second(`${answer.text.slice(0, kept)}? ${answer.text}`);
      const next = await ask(cached, changed);
      expect(next.cached).toBe(answer.tokens + Math.min(kept, 39));
      expect(await ask(plain, changed)).toEqual({ ...next, cached: 0 });
    }
  });

  it('an answer that was changed is right in a model with a window, too', async () => {
    const file = path.join(engines.folder, 'window.gguf');
    await writeNoiseWindowModel(file, 32);
    const cached = await engines.start(file, { parallelSequences: 1 });
    const plain = await engines.start(file, { parallelSequences: 2 });
    // Behind the window, cells are overwritten: the first change is read anew as a whole.
    for (const [kept, isCached] of [
      [10, false],
      [100, true],
      [299, true],
    ] as const) {
      const answer = await ask(cached, first, { max_tokens: 300 });
      const changed = second(`${answer.text.slice(0, kept)}? and`);
      // Few tokens: with other places of the cells, the last bits of llama.cpp's sums differ.
      const next = await ask(cached, changed, { max_tokens: 4 });
      expect(next.cached > 0).toBe(isCached);
      expect(await ask(plain, changed, { max_tokens: 4 })).toEqual({ ...next, cached: 0 });
    }
  });
});

describe('With a tokenizer of single letters and pairs', () => {
  // The last two are bytes that are no characters.
  const NAMES = ['a', 'b', 'c', 'ab', 'bc', 'é', '\ufffd', '\ufffd'];
  const detokenize = (tokens: readonly number[]) =>
    Promise.resolve(tokens.map((token) => NAMES[token]).join(''));
  const PROMPT = [5, 5];
  const known = async (pieces: readonly string[], next: readonly number[]) => {
    const tokens = pieces.length;
    const held = heldTokens(Int32Array.from(PROMPT), { text: pieces.join(''), tokens, pieces });
    const { ids } = await recognizeAnswer(held, Int32Array.from([...PROMPT, ...next]), {
      detokenize,
    });
    return [...ids].slice(PROMPT.length);
  };

  it.each([
    ['the whole answer but its last token', ['a', 'b', 'c'], [0, 1, 2, 5], [0, 1]],
    ['nothing of an answer of one token', ['a'], [0, 5], []],
    ['the start that is the same', ['a', 'b', 'c'], [0, 5, 2], [0]],
    ['nothing of another answer', ['a', 'b'], [1, 2, 0], []],
    ['nothing where the prompt ends before the answer', ['a', 'b'], [], []],
    ['what a shorter prompt has', ['a', 'b', 'c'], [0, 1], [0, 1]],
    ['the same text in another division of as many tokens', ['ab', 'c', 'a'], [0, 4, 0], [0, 4]],
    ['nothing from a byte on that is no character', ['a', '\ufffd', 'b', 'c'], [0, 7, 1, 2], [0]],
    ['nothing of the same text in more tokens', ['ab', 'ab', 'c'], [0, 1, 0, 1, 2], []],
  ])('it recognizes %s', async (_, pieces, next, expected) => {
    expect(await known(pieces, next)).toEqual(expected);
  });

  it('an answer with fewer reports than tokens is recognized as a whole only', async () => {
    // 'é' is one report of two tokens.
    const pieces = ['a', 'é'];
    const twoTokens = {
      detokenize: (ids: readonly number[]) => detokenize(ids.filter((id) => id !== 9)),
    };
    const held = heldTokens(Int32Array.from(PROMPT), { text: 'aé', tokens: 3, pieces });
    const recognize = async (next: readonly number[]) => {
      const { ids } = await recognizeAnswer(held, Int32Array.from([...PROMPT, ...next]), twoTokens);
      return [...ids].slice(PROMPT.length);
    };
    expect(await recognize([0, 9, 5, 1])).toEqual([0, 9]);
    expect(await recognize([0, 1, 2, 1])).toEqual([]);
  });

  it('a prompt of another conversation leaves what is held as it is', async () => {
    const held = heldTokens(Int32Array.of(1, 2), { text: 'a', tokens: 1, pieces: ['a'] });
    expect(await recognizeAnswer(held, Int32Array.of(1, 3, 0), { detokenize })).toBe(held);
  });
});
