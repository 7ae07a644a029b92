import path from 'node:path';
import { bodyOf, type TestEngine, TestEngines } from '../../../test/engine-client.js';
import { writeNoiseEncoder } from '../../../test/noise-encoder.js';

// The special tokens around prompts with the real llama.cpp. A model whose tokenizer adds the first token (BOS), such as
// Gemma, Llama and Mistral, answers badly without it.

const engines = new TestEngines();
beforeAll(() => engines.open());
afterAll(() => engines.close());

const START = '<|endoftext|>';
const MESSAGES = [
  { role: 'system', content: 'be short' },
  { role: 'user', content: 'a b c' },
];
/** Templates of Mistral's and Gemma's form: one without BOS, and one that writes it. */
const PLAIN = '{% for m in messages %}<|im_start|>{{ m.content }}<|im_end|>{% endfor %}';
const WITH_START = `{{ bos_token }}${PLAIN}`;

async function startModel(name: string, metadata: Record<string, string | boolean>) {
  const file = await engines.writeModel(name, { layers: 2, width: 256, metadata });
  return engines.start(file);
}

/** Tokens of the prompt as the engine counts them, and as llama.cpp has computed them. */
async function promptTokens(engine: TestEngine, path: string, body: object) {
  const { usage, timings } = await bodyOf(
    await engine.post(path, { model: 'tiny', max_tokens: 2, ...body }),
  );
  return {
    counted: usage.prompt_tokens,
    computed: timings.prompt_n + usage.prompt_tokens_details.cached_tokens,
  };
}

test.each([
  ['writes no first token', PLAIN],
  ['writes the first token', WITH_START],
])('a template that %s gets exactly one where the tokenizer adds it', async (_, template) => {
  const of = async (addsStart: boolean) => {
    const engine = await startModel('chat', {
      'tokenizer.ggml.add_bos_token': addsStart,
      'tokenizer.chat_template': template,
    });
    return promptTokens(engine, '/v1/chat/completions', { messages: MESSAGES });
  };
  const [without, withStart] = [await of(false), await of(true)];
  const expected = without.counted + (template === PLAIN ? 1 : 0);
  expect(withStart).toEqual({ counted: expected, computed: expected });
});

test.each([2, 17, 100])('a template of %i KiB is used whole', async (kib) => {
  // Blocks that write nothing stand before the part that writes the messages.
  const block = '{%- if false %}a part that is not used{% endif -%}';
  const template = `{{ bos_token }}${block.repeat((kib * 1024) / block.length)}${PLAIN}`;
  const engine = await startModel('long', {
    'tokenizer.ggml.add_bos_token': true,
    'tokenizer.chat_template': template,
  });
  const short = await startModel('short', {
    'tokenizer.ggml.add_bos_token': true,
    'tokenizer.chat_template': WITH_START,
  });
  const of = (one: TestEngine) => promptTokens(one, '/v1/chat/completions', { messages: MESSAGES });
  expect(await of(engine)).toEqual(await of(short));
});

test('a text gets the first token where the tokenizer adds it, unless it begins with it', async () => {
  const engine = await startModel('text', { 'tokenizer.ggml.add_bos_token': true });
  const plain = await promptTokens(engine, '/v1/completions', { prompt: 'a b c' });
  const given = await promptTokens(engine, '/v1/completions', { prompt: `${START}a b c` });
  expect(plain).toEqual({ counted: 6, computed: 6 });
  expect(given).toEqual(plain);
});

test('with two templates, the one for tools formats a chat with tools', async () => {
  const engine = await startModel('tools', {
    'tokenizer.ggml.add_bos_token': true,
    'tokenizer.chat_template': PLAIN,
    'tokenizer.chat_template.tool_use': `{{ tools | tojson }}${PLAIN}`,
  });
  const count = async (more: object) =>
    (await promptTokens(engine, '/v1/chat/completions', { messages: MESSAGES, ...more })).counted;
  const tool = { type: 'function', function: { name: 'look', parameters: { type: 'object' } } };
  expect(await count({ tools: [tool] })).toBeGreaterThan((await count({})) + 20);
});

describe('an encoder of BERT’s kind', () => {
  let encoder: TestEngine;
  beforeAll(async () => {
    const file = path.join(engines.folder, 'encoder.gguf');
    await writeNoiseEncoder(file);
    encoder = await engines.start(file, { kind: 'embedding', contextLengthTokens: 512 });
  });
  const embed = async (words: number) => {
    const input = 'a '.repeat(words);
    return encoder.post('/v1/embeddings', { model: 'tiny', input });
  };

  test('counts the tokens at both ends of a text', async () => {
    expect((await bodyOf(await embed(3))).usage.prompt_tokens).toBe(5);
  });

  test('takes a text that fills its input with them, and refuses a longer one', async () => {
    expect((await embed(510)).status).toBe(200);
    for (const words of [511, 512, 3000]) {
      const refused = await embed(words);
      expect(refused.status).toBe(400);
      expect((await bodyOf(refused)).error.code).toBe('context_length_exceeded');
    }
    expect((await embed(1)).status).toBe(200);
  });
});
