import { renderBar, renderLegend, renderMeter, textWidth } from '@mai/host';
import * as fc from 'fast-check';
import { createStyle } from './style.js';

const plain = createStyle(false);
const bar = (
  others: number,
  models: number,
  { width = 10, limit = null as number | null, unicode = true } = {},
) =>
  renderBar({
    width,
    parts: [
      { kind: 'others', ratio: others },
      { kind: 'models', ratio: models },
    ],
    limitRatio: limit,
    unicode,
    style: plain,
  });

test('shows other programs, models and free memory with different glyphs', () => {
  expect(bar(0.3, 0.4)).toBe('▒▒▒████···');
  expect(bar(0.3, 0.4, { unicode: false })).toBe('===####...');
});

test('ends the models with an eighth of a cell', () => {
  expect(bar(0, 0.25)).toBe('██▌·······');
  expect(bar(0.3, 0.0125)).toBe('▒▒▒▏······');
});

test('draws a part above 0 however small it is, and draws nothing for 0', () => {
  expect(bar(0.0001, 0)).toBe('▒·········');
  expect(bar(0, 0)).toBe('··········');
  expect(renderMeter(0.0001, 10, true, plain.good)).toBe('▏');
  expect(renderMeter(0, 10, true, plain.good)).toBe('');
});

test('draws the limit at its position', () => {
  expect(bar(0.3, 0, { limit: 0.8 })).toBe('▒▒▒····│··');
  expect(bar(0.3, 0, { limit: 0.8, unicode: false })).toBe('===....|..');
});

test('has the given width, whatever the parts', () => {
  const ratio = fc.double({ min: 0, max: 1.5, noNaN: true });
  fc.assert(
    fc.property(ratio, ratio, ratio, fc.integer({ min: 1, max: 60 }), fc.boolean(), (...given) => {
      const [others, models, limit, width, unicode] = given;
      expect(textWidth(bar(others, models, { width, limit, unicode }))).toBe(width);
      expect(textWidth(renderMeter(others, width, unicode, plain.good))).toBeLessThanOrEqual(width);
    }),
  );
});

test('the legend has the glyphs of the bar', () => {
  expect(
    renderLegend(
      ['models', 'others', 'free'],
      { others: 'other programs' },
      {
        unicode: true,
        style: plain,
        width: 60,
      },
    ),
  ).toEqual(['█ models   ▒ other programs   · free']);
});

test('a legend that is too wide for the terminal breaks between its entries', () => {
  expect(
    renderLegend(
      ['others', 'models', 'free', 'limit'],
      { others: 'other programs', limit: 'limit 80 %' },
      { unicode: false, style: plain, width: 30 },
    ),
  ).toEqual([
    expect.stringMatching(/other programs {3}. models$/),
    expect.stringMatching(/^. free {3}. limit 80 %$/),
  ]);
});
