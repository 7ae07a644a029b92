import { QUESTION } from '../../test/eight-billion.js';
import { SPEED_DEPTH_TOKENS } from '@mai/memory-ledger';
import type { PromptParts } from '../physics/prompt-parts.js';
import { createSpeedModel, type SpeedModel } from './create-speed-model.js';
import { loadSpeedOf } from './load-speed-of.js';
import { timeToFirstToken } from './time-to-first-token.js';

const PARTS: PromptParts = { compute: 0.0008, attention: 0.0001, batches: 0.0001, transfers: 0 };

/** 1,000 tokens a second, between 500 and 2,000. Notes the length of the prompts. */
function modelOf(asked: number[]): SpeedModel {
  return {
    ...createSpeedModel(),
    prompt: (_, promptTokens) => {
      asked.push(promptTokens);
      return { tokensPerSecond: 1000, low: 500, high: 2000, parts: PARTS, correction: 1 };
    },
  };
}

describe('the time to the first token', () => {
  test('of 2,000 tokens at 1,000 tokens a second: 2 s, at 500: 4 s, at 2,000: 1 s', () => {
    const { expected, low, high, parts } = timeToFirstToken(modelOf([]), QUESTION, 2000);
    expect([expected, low, high]).toEqual([2000, 1000, 4000]);
    expect(parts.compute).toBeCloseTo(1600, 9);
    expect(parts.attention).toBeCloseTo(200, 9);
    expect(parts.batches).toBeCloseTo(200, 9);
    expect(parts.transfers).toBe(0);
  });

  test('computes one token where the whole prompt is in the KV cache', () => {
    const asked: number[] = [];
    expect(timeToFirstToken(modelOf(asked), QUESTION, 0).expected).toBe(1);
    expect(asked).toEqual([1]);
  });

  test('grows faster than the prompt, because attention grows with depth', () => {
    const model = createSpeedModel();
    const attention = (tokens: number): number =>
      timeToFirstToken(model, QUESTION, tokens).parts.attention;
    // The number of pairs of tokens: twice the prompt, four times the pairs.
    expect(attention(8000) / attention(4000)).toBeCloseTo(4, 6);
    // A prompt of 4,000 tokens after 4,000 tokens of context: 24 million pairs instead of 8 million.
    const behind = timeToFirstToken(model, { ...QUESTION, depthTokens: 4000 }, 4000);
    expect(behind.parts.attention / attention(4000)).toBeCloseTo(3, 6);
  });
});

describe('the speed of a load configuration', () => {
  const model = createSpeedModel();

  test('is that of decode at the usual depth, and that of a prompt of the same length', () => {
    const { decodeTokensPerSecond, promptTokensPerSecond, loadMs } = loadSpeedOf(
      model,
      { ...QUESTION, depthTokens: 9 },
      null,
    );
    const decode = model.decode({ ...QUESTION, depthTokens: SPEED_DEPTH_TOKENS });
    expect(decodeTokensPerSecond).toEqual({
      expected: decode.tokensPerSecond,
      low: decode.low,
      high: decode.high,
    });
    expect(promptTokensPerSecond.expected).toBe(
      model.prompt(QUESTION, SPEED_DEPTH_TOKENS).tokensPerSecond,
    );
    expect(loadMs).toBeNull();
  });

  test('is measured where the model was measured, whatever its quantization', () => {
    const identity = { ...QUESTION.identity, quantization: 'Q8_0' };
    const seen = createSpeedModel([
      {
        ...QUESTION,
        identity,
        test: 'decode',
        generatedTokens: 100,
        tokensPerSecond: 50,
        othersCpuRatio: null,
      },
    ]);
    expect(loadSpeedOf(seen, QUESTION, null).measured).toBe(true);
    expect(loadSpeedOf(model, QUESTION, null).measured).toBe(false);
  });

  test('has the range of the load time without its parts', () => {
    const loadMs = { expected: 2, low: 1, high: 3 };
    expect(loadSpeedOf(model, QUESTION, { ...loadMs }).loadMs).toEqual(loadMs);
  });
});
