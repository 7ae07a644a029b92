import type { MeasuredAnswer } from '../../ports/serving-port.js';
import { createAnswerMeter } from './measure-answers.js';

const SPEED = {
  prompt: { tokens: 100, ms: 50, isWhole: true },
  output: { tokens: 20, ms: 400 },
  depthTokens: 100,
};
const ANSWER = { modelKey: 'm', instanceIdentifier: 'one', speed: SPEED };

function world() {
  const told: MeasuredAnswer[] = [];
  return { told, meter: createAnswerMeter({ measured: (answer) => void told.push(answer) }) };
}

describe('the meter of answers', () => {
  test('reports an answer that ran alone, without its prompt and text', () => {
    const { told, meter } = world();
    meter.begin()(ANSWER);
    expect(told).toEqual([
      {
        modelKey: 'm',
        instanceIdentifier: 'one',
        prompt: { tokens: 100, ms: 50 },
        output: { tokens: 20, ms: 400 },
        depthTokens: 100,
      },
    ]);
  });

  test('reports no speed of two answers that ran at the same time, whichever ended first', () => {
    const { told, meter } = world();
    const first = meter.begin();
    const second = meter.begin();
    second(ANSWER);
    first(ANSWER);
    expect(told).toEqual([]);
    meter.begin()(ANSWER);
    expect(told).toHaveLength(1);
  });

  test('does not report an answer during which a model was loaded', () => {
    const { told, meter } = world();
    const end = meter.begin();
    meter.disturb();
    end(ANSWER);
    expect(told).toEqual([]);
  });

  test('a failed request does not stay in the way of later ones', () => {
    const { told, meter } = world();
    meter.begin()(null);
    meter.begin()(ANSWER);
    expect(told).toHaveLength(1);
  });

  test('where the cache is not known, only the first prompt of a resident counts', () => {
    const { told, meter } = world();
    const speed = { ...SPEED, prompt: { ...SPEED.prompt, isWhole: false } };
    meter.begin()({ ...ANSWER, speed });
    meter.begin()({ ...ANSWER, speed });
    meter.disturb();
    meter.begin()({ ...ANSWER, speed });
    expect(told.map(({ prompt }) => prompt?.tokens ?? null)).toEqual([100, null, 100]);
  });

  test.each([
    [15, 63, false],
    [16, 63, true],
    [15, 64, true],
  ])('%d generated tokens and %d tokens of a prompt: reported is %s', (output, prompt, isTold) => {
    const { told, meter } = world();
    const speed = {
      prompt: { ...SPEED.prompt, tokens: prompt },
      output: { ...SPEED.output, tokens: output },
      depthTokens: 0,
    };
    meter.begin()({ ...ANSWER, speed });
    expect(told).toHaveLength(isTold ? 1 : 0);
  });

  test('without a listener, nothing happens', () => {
    const meter = createAnswerMeter({});
    expect(() => {
      meter.begin()(ANSWER);
    }).not.toThrow();
  });
});
