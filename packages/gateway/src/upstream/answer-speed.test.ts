import { answerSpeed, type EndedAnswer } from './answer-speed.js';

const ANSWER: EndedAnswer = {
  tail: '',
  usage: { promptTokens: 400, outputTokens: 101 },
  maxOutputTokens: null,
  isStream: true,
  firstByteMs: 800,
  tookMs: 2800,
};

describe('the times of an answer', () => {
  test('come from the timings of llama.cpp where the answer has them', () => {
    const timings = {
      cache_n: 300,
      prompt_n: 100,
      prompt_ms: 50.5,
      predicted_n: 20,
      predicted_ms: 400,
    };
    const tail = `data: {"choices":[],"timings":${JSON.stringify(timings)}}\n\ndata: [DONE]\n\n`;
    expect(answerSpeed({ ...ANSWER, tail, usage: null })).toEqual({
      prompt: { tokens: 100, ms: 50.5, isWhole: true },
      output: { tokens: 19, ms: 400 },
      depthTokens: 400,
    });
  });

  test('come from the stats of LM Studio’s REST API', () => {
    const stats = { tokens_per_second: 51, time_to_first_token: 0.111, generation_time: 0.954 };
    const tail = `{"usage":{},"stats":${JSON.stringify(stats)}}`;
    expect(answerSpeed({ ...ANSWER, tail, isStream: false })).toEqual({
      prompt: { tokens: 400, ms: 111, isWhole: false },
      output: { tokens: 101, ms: 954 },
      depthTokens: 400,
    });
  });

  test('come from the arrival of a stream: 100 tokens after the first one in 2 seconds', () => {
    expect(answerSpeed(ANSWER)).toEqual({
      prompt: { tokens: 400, ms: 800, isWhole: false },
      output: { tokens: 100, ms: 2000 },
      depthTokens: 400,
    });
  });

  // LM Studio 0.4.22 reports 101 of 102 tokens: lmstudio-bug-tracker #2335.
  test.each([
    ['length', 102, 101],
    ['length', 101, 100],
    // The context was full.
    ['length', 200, 100],
    ['length', null, 100],
    ['stop', 102, 100],
  ])(
    'count the token that LM Studio leaves out at the limit: %s with a limit of %j',
    (reason, maxOutputTokens, tokens) => {
      const tail = `data: {"choices":[{"delta":{},"finish_reason":"${reason}"}]}\n\ndata: [DONE]\n\n`;
      expect(answerSpeed({ ...ANSWER, tail, maxOutputTokens })?.output?.tokens).toBe(tokens);
      const stats = `{"finish_reason":"${reason}","stats":{"generation_time":2}}`;
      const document = { ...ANSWER, tail: stats, isStream: false, maxOutputTokens };
      expect(answerSpeed(document)?.output?.tokens).toBe(tokens + 1);
    },
  );

  // Measured with llama.cpp: 0.1 ms for one token, 7.3 ms for two, 13.2 ms for three.
  test.each([
    [1, 0.108, null],
    [2, 7.329, { tokens: 1, ms: 7.329 }],
    [3, 13.2, { tokens: 2, ms: 13.2 }],
  ])('do not count the first of %i tokens, whose time is the prompt’s', (count, ms, output) => {
    const timings = { prompt_n: 5, prompt_ms: 60, predicted_n: count, predicted_ms: ms };
    const tail = `{"timings":${JSON.stringify(timings)}}`;
    expect(answerSpeed({ ...ANSWER, tail })).toMatchObject({ output });
  });

  test('leave out the tokens of the prompt that were in the cache', () => {
    const tail = '"usage":{"prompt_tokens":400,"prompt_tokens_details":{"cached_tokens":390}}';
    expect(answerSpeed({ ...ANSWER, tail })?.prompt).toEqual({
      tokens: 10,
      ms: 800,
      isWhole: true,
    });
  });

  test('are not known of a body without timings, and of a stream that counts no tokens', () => {
    expect(answerSpeed({ ...ANSWER, isStream: false })).toBeNull();
    expect(answerSpeed({ ...ANSWER, usage: null })).toBeNull();
    expect(answerSpeed({ ...ANSWER, tail: '"timings":{"prompt_n":"x"}', usage: null })).toBeNull();
    expect(answerSpeed({ ...ANSWER, tail: '"timings":{broken}', usage: null })).toBeNull();
  });
});
