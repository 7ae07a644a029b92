import { rejection, startWithClient } from '../../test/connect-sdk.js';
import { createStopStringFilter } from './stop-strings.js';

const QUIET = { verbose: false } as const;
const KEY = 'qwen/qwen3-4b';

test('a stop string ends the answer, is not part of it, and is named in the statistics', async () => {
  await using connected = await startWithClient();
  const model = await connected.client.llm.load(KEY, QUIET);
  const { content, stats } = await model.respond('hi', { stopStrings: ['model.', 'never'] });
  expect(content).toBe('Hello from the simulated ');
  expect(stats).toMatchObject({ stopReason: 'stopStringFound', stopString: 'model.' });
});

test('a stop string may span several tokens, and its start alone does not end the answer', () => {
  const filter = createStopStringFilter(['the end']);
  const parts = ['not the', ' start, the', ' en', 'd of it'].map((text) => filter.add(text));
  expect(parts.map(({ text }) => text).join('')).toBe('not the start, ');
  expect(parts.map(({ found }) => found)).toEqual([null, null, null, 'the end']);
  const open = createStopStringFilter(['the end']);
  expect(open.add('to the').text + open.rest()).toBe('to the');
});

test('a known draft model is reported with its tokens, and an unknown draft model is rejected', async () => {
  await using connected = await startWithClient();
  const model = await connected.client.llm.load(KEY, QUIET);
  const { stats } = await model.respond('hi', { draftModel: 'qwen/qwen3-1.7b', maxTokens: 4 });
  expect(stats).toMatchObject({
    usedDraftModelKey: 'qwen/qwen3-1.7b',
    totalDraftTokensCount: 4,
    acceptedDraftTokensCount: 4,
  });
  const error = await rejection(model.respond('hi', { draftModel: 'invalid-model' }).result());
  expect(error.message).toContain('Cannot find a model');
  expect(error.message).toContain('invalid-model');
});

test('a known preset is accepted, and an unknown preset gets the error generic.presetNotFound', async () => {
  await using connected = await startWithClient({
    world: { presets: [{ identifier: '@local:focus', name: 'Focus' }] },
  });
  const model = await connected.client.llm.load(KEY, QUIET);
  for (const preset of ['@local:focus', '@Local:Focus'])
    await model.respond('hi', { preset, maxTokens: 1 });
  const { message } = await rejection(model.respond('hi', { preset: 'nope' }).result());
  expect(message).toContain('Cannot find a preset with identifier "nope"');
  expect(message).toContain('Focus');
});

test('a full context ends the answer under stopAtLimit, but not under truncateMiddle (the default)', async () => {
  await using connected = await startWithClient();
  const model = await connected.client.llm.load(KEY, { ...QUIET, config: { contextLength: 16 } });
  const options = { maxTokens: 40 };
  const stopped = await model.respond('hi', { ...options, contextOverflowPolicy: 'stopAtLimit' });
  expect(stopped.stats).toMatchObject({ stopReason: 'contextLengthReached', totalTokensCount: 16 });
  for (const policy of [{}, { contextOverflowPolicy: 'truncateMiddle' as const }]) {
    const { stats } = await model.respond('hi', { ...options, ...policy });
    expect(stats).toMatchObject({
      stopReason: 'maxPredictedTokensReached',
      predictedTokensCount: 40,
    });
  }
  const long = await model.respond('a long prompt '.repeat(50), { maxTokens: 2 });
  expect(long.stats).toMatchObject({ promptTokensCount: 15, predictedTokensCount: 2 });
});

test('the model info of a finished prediction lacks the time of the last use', async () => {
  await using connected = await startWithClient();
  const model = await connected.client.llm.load(KEY, QUIET);
  const { modelInfo } = await model.respond('hi', { maxTokens: 1 });
  expect(modelInfo).toMatchObject({ identifier: KEY, lastUsedTime: null });
  expect((await model.getModelInfo()).lastUsedTime).toEqual(expect.any(Number));
});

test('the type of an upload comes from its file name, and its size is reported', async () => {
  await using connected = await startWithClient();
  const content = Buffer.from('hello').toString('base64');
  const file = await connected.client.files.prepareFileBase64('notes.txt', content);
  expect(file).toMatchObject({ type: 'text/plain', sizeBytes: 5 });
  const again = await connected.client.files.prepareFileBase64('notes.txt', content);
  expect(again.identifier).not.toBe(file.identifier);
});
