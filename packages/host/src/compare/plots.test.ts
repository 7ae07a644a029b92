import { inOrder, type Comparison } from './compare-models.js';
import { plotSvg } from './plot-svg.js';
import { plotText } from './plot-text.js';

const range = (expected: number) => ({ expected, low: expected / 2, high: expected * 2 });

function compared(modelKey: string, quality: number | null, tokensPerSecond: number | null) {
  const speed =
    tokensPerSecond === null
      ? null
      : {
          decodeTokensPerSecond: range(tokensPerSecond),
          promptTokensPerSecond: range(500),
          loadMs: null,
          measured: false,
        };
  return {
    modelKey,
    quality,
    speed,
    value: quality,
    footprint: null,
    loaded: false,
    rejection: null,
    cheaper: null,
  };
}

const COMPARISON: Comparison = {
  goal: 'balanced',
  use: 'general',
  minTokensPerSecond: 6,
  models: [
    compared('a<b>', 0.8, 20),
    compared('fast', 0.42, 90),
    compared('unknown', null, 5),
    compared('slow', 0.7, 3),
  ],
};

test('models that are too slow come after all others, as in a derived chain', () => {
  // The upper end of a speed is twice the speed, so 2.9 tokens a second is too slow for a minimum of 6, and 3 is not.
  const models = [
    compared('too slow', 0.9, 2.9),
    compared('fast', 0.4, 90),
    compared('unknown quality', null, 5),
    compared('unknown speed', 0.5, null),
    compared('just fast enough', 0.7, 3),
  ];
  expect(inOrder(models, COMPARISON).map(({ modelKey }) => modelKey)).toEqual([
    'just fast enough',
    'unknown speed',
    'fast',
    'unknown quality',
    'too slow',
  ]);
});

describe('a plot of quality against speed', () => {
  test('shows each model of known quality and speed as the number of its line', () => {
    const lines = plotText(COMPARISON, { width: 60, height: 12, unicode: true }).split('\n');
    const rowOf = (mark: string) => lines.findIndex((line) => line.slice(6).includes(mark));
    const columnOf = (mark: string) => lines[rowOf(mark)]?.indexOf(mark, 7) ?? -1;
    const body = lines.slice(1, 13).map((line) => line.slice(7));
    expect(body.join('').replace(/[^\d]/g, '').split('').sort().join('')).toBe('124');
    expect(rowOf('1')).toBeLessThan(rowOf('4'));
    expect(rowOf('4')).toBeLessThan(rowOf('2'));
    expect(columnOf('4')).toBeLessThan(columnOf('1'));
    expect(columnOf('1')).toBeLessThan(columnOf('2'));
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(60);
  });

  test('needs no Unicode, and is empty where nothing is known', () => {
    const text = plotText(COMPARISON, { width: 60, height: 12, unicode: false });
    expect(text).toMatch(/^[\x20-\x7e\n]*$/);
    const unknown = { ...COMPARISON, models: [compared('x', null, 1)] };
    expect(plotText(unknown, { width: 60, height: 12, unicode: true })).toBe('');
  });

  test('is an SVG document that names each model and escapes its name', () => {
    const svg = plotSvg(COMPARISON);
    expect(svg).toMatch(/^<svg .*<\/svg>\n$/s);
    expect(svg).toContain('a&lt;b&gt;');
    expect(svg.match(/<circle /g)).toHaveLength(3);
    expect(svg).not.toMatch(/NaN|undefined|Infinity/);
    expect(plotSvg({ ...COMPARISON, models: [] })).toMatch(/<\/svg>\n$/);
  });

  test.each([0, 1, 6, 7, 9, 16])('has axes on a terminal of %i columns', (width) => {
    expect(plotText(COMPARISON, { width, height: 8, unicode: true })).toContain('tokens a second');
  });

  test('keeps long names at its right edge within the picture', () => {
    const name = 'publisher/a-model-with-a-rather-long-name';
    const models = [compared(name, 0.8, 400), compared('slow', 0.7, 3)];
    const svg = plotSvg({ ...COMPARISON, models });
    const [, x = '', anchor = ''] =
      new RegExp(`<text x="([0-9.]+)" y="[0-9.]+" text-anchor="(\\w+)">${name}`).exec(svg) ?? [];
    expect(anchor).toBe('end');
    expect(Number(x)).toBeLessThan(720);
    expect(svg).toContain('>minimum</text>');
  });

  test('of a single model has axes', () => {
    const one = { ...COMPARISON, models: [compared('only', 0.5, 6)] };
    expect(plotSvg(one)).not.toMatch(/NaN|undefined|Infinity/);
    expect(plotText(one, { width: 40, height: 8, unicode: true })).toContain('1');
  });
});
