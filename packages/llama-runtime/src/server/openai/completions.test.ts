import { TestEngines, bodyOf, type TestEngine } from '../../../test/engine-client.js';

const engines = new TestEngines();
let engine: TestEngine;
beforeAll(async () => {
  await engines.open();
  engine = await engines.start(await engines.writeModel('tiny'));
}, 60_000);
afterAll(() => engines.close());

describe('A completion that is refused', () => {
  it.each([
    [{ prompt: ['one', 'two'] }, 501, 'prompt'],
    [{ prompt: [1, 2] }, 501, 'prompt'],
    [{ n: 2 }, 501, 'n'],
    [{ best_of: 2 }, 501, 'best_of'],
    [{ suffix: 'end' }, 501, 'suffix'],
    [{ best_of: 0 }, 400, 'best_of'],
    [{ prompt: '' }, 400, 'prompt'],
  ])('%j is %i and names %s', async (fields, status, param) => {
    const response = await engine.post('/v1/completions', {
      model: 'tiny',
      prompt: 'one',
      max_tokens: 1,
      ...fields,
    });
    expect(response.status).toBe(status);
    // The openai package tries again on each status from 500 on.
    expect(response.headers.get('x-should-retry')).toBe(status === 501 ? 'false' : null);
    const code = status === 501 ? 'not_supported' : 'invalid_value';
    expect(await bodyOf(response)).toMatchObject({ error: { code, param } });
  });
});
