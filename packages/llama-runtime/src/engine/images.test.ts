import path from 'node:path';
import { bodyOf, eventsOf, type TestEngine, TestEngines } from '../../test/engine-client.js';
import { writeNoiseProjector } from '../../test/noise-projector.js';

// Images with the real llama.cpp, a model of random weights and a projector of random weights.

const engines = new TestEngines();
let engine: TestEngine;
let file: string;
beforeAll(async () => {
  await engines.open();
  file = await engines.writeModel('seer');
  engine = await engines.start(file, { projectorFile: await projector('mmproj-seer', 'mlp', 56) });
});
afterAll(() => engines.close());

async function projector(name: string, type: 'mlp' | 'gemma3', imageSize: number) {
  const target = path.join(path.dirname(file), `${name}.gguf`);
  await writeNoiseProjector(target, { type, modelWidth: 256, imageSize });
  return target;
}

const PICTURE = `data:image/bmp;base64,${bitmap(30, 20).toString('base64')}`;
const IMAGE = { type: 'image_url', image_url: { url: PICTURE } };
const QUESTION = { type: 'text', text: 'What is this?' };
/** Tokens of an image: 56 pixels a side are 16 patches of 14 pixels, and the text has one more separator. */
const IMAGE_TOKENS = 17;

/** A bitmap file of 24 bits a pixel (BITMAPINFOHEADER), with a pattern. */
function bitmap(width: number, height: number): Buffer {
  const rowBytes = Math.ceil((width * 3) / 4) * 4;
  const file = Buffer.alloc(54 + rowBytes * height);
  file.write('BM');
  file.writeUInt32LE(file.length, 2);
  file.writeUInt32LE(54, 10);
  file.writeUInt32LE(40, 14);
  file.writeInt32LE(width, 18);
  file.writeInt32LE(height, 22);
  file.writeUInt16LE(1, 26);
  file.writeUInt16LE(24, 28);
  for (let at = 54; at < file.length; at += 1) file[at] = (at * 37) % 256;
  return file;
}

const chat = (content: unknown, more: object = {}) =>
  engine.post('/v1/chat/completions', {
    model: 'tiny',
    messages: [{ role: 'user', content }],
    max_tokens: 8,
    temperature: 0,
    ...more,
  });

test('the tokens of images count as tokens of the prompt', async () => {
  const [text, one, two] = [
    await bodyOf(await chat([QUESTION])),
    await bodyOf(await chat([QUESTION, IMAGE])),
    await bodyOf(await chat([IMAGE, QUESTION, IMAGE])),
  ];
  expect(engine.facts.vision).toBe(true);
  const { prompt_tokens: plain } = text.usage;
  expect(one.usage.prompt_tokens).toBe(plain + IMAGE_TOKENS);
  expect(two.usage.prompt_tokens).toBe(plain + 2 * IMAGE_TOKENS);
  expect(one.choices[0].message.content).not.toBe(text.choices[0].message.content);
});

test('a text after an image gets the same answer as before it', async () => {
  const before = await bodyOf(await chat([QUESTION]));
  await chat([IMAGE, QUESTION]);
  const after = await bodyOf(await chat([QUESTION]));
  expect(after.choices[0].message.content).toBe(before.choices[0].message.content);
});

test('a stream, Anthropic’s messages and OpenAI’s responses take images', async () => {
  const events = await eventsOf(await chat([QUESTION, IMAGE], { stream: true }));
  expect(events.at(-1)).toEqual({ done: true });
  const source = { type: 'base64', media_type: 'image/bmp', data: PICTURE.split(',')[1] };
  const message = { role: 'user', content: [QUESTION, { type: 'image', source }] };
  const messages = { model: 'tiny', max_tokens: 8, temperature: 0, messages: [message] };
  const answered = await bodyOf(await engine.post('/v1/messages', messages));
  const counted = await bodyOf(await engine.post('/v1/messages/count_tokens', messages));
  expect(answered.usage.input_tokens).toBe(counted.input_tokens);
  expect(answered.stop_reason).toBe('max_tokens');
  const input = [
    {
      role: 'user',
      content: [
        { type: 'input_text', text: 'What is this?' },
        { type: 'input_image', image_url: PICTURE },
      ],
    },
  ];
  const response = await engine.post('/v1/responses', {
    model: 'tiny',
    input,
    max_output_tokens: 8,
  });
  expect((await bodyOf(response)).usage.input_tokens).toBe(answered.usage.input_tokens);
});

test('requests with and without images at once are answered, also where clients leave', async () => {
  const [text, image] = [
    await bodyOf(await chat([QUESTION])),
    await bodyOf(await chat([QUESTION, IMAGE])),
  ];
  const left = Array.from({ length: 4 }, async (_, at) => {
    const signal = AbortSignal.timeout(1 + at * 10);
    await expect(
      engine.post('/v1/chat/completions', {}, { signal, body: longImageRequest() }),
    ).rejects.toThrow();
  });
  const answers = Array.from({ length: 12 }, async (_, at) => {
    const answer = await bodyOf(await chat(at % 2 === 0 ? [QUESTION] : [QUESTION, IMAGE]));
    return answer.usage.prompt_tokens;
  });
  await Promise.all(left);
  expect(await Promise.all(answers)).toEqual(
    answers.map((_, at) => (at % 2 === 0 ? text : image).usage.prompt_tokens),
  );
});

function longImageRequest(): string {
  const messages = [{ role: 'user', content: [IMAGE, QUESTION] }];
  return JSON.stringify({ model: 'tiny', messages, max_tokens: 900 });
}

test.each([
  ['four bytes', 'data:image/png;base64,AAAAAA=='],
  ['a cut header', PICTURE.slice(0, 60)],
  ['no base64', 'data:image/png;base64,?'],
])('an image of %s is the client’s error, and the engine goes on', async (_, url) => {
  const refused = await chat([QUESTION, { type: 'image_url', image_url: { url } }]);
  expect(refused.status).toBe(400);
  expect((await bodyOf(refused)).error).toMatchObject({
    code: 'image_parse_error',
    message: expect.stringContaining('Send a complete PNG, JPEG, BMP or GIF file.'),
  });
  expect((await chat([QUESTION])).status).toBe(200);
});

test('an image that leaves no room for an answer is refused', async () => {
  const images = Array.from({ length: 70 }, () => IMAGE);
  const refused = await chat(images);
  expect(refused.status).toBe(400);
  expect((await bodyOf(refused)).error.code).toBe('context_length_exceeded');
});

// llama.cpp splits an image where a step is smaller, and tokens then do not attend to the later ones.
test('an image whose tokens attend in both directions is computed in one step', async () => {
  const projectorFile = await projector('mmproj-gemma', 'gemma3', 448);
  const ask = async (changes: object) => {
    engine = await engines.start(file, { projectorFile, ...changes });
    const { usage, choices } = await bodyOf(await chat([IMAGE, QUESTION], { max_tokens: 16 }));
    return { tokens: usage.prompt_tokens, text: choices[0].message.content };
  };
  const whole = await ask({ nonCausalImages: true });
  const split = await ask({ nonCausalImages: false });
  expect(whole.tokens).toBe(split.tokens);
  expect(whole.text).not.toBe(split.text);
});
