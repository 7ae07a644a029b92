import { textWidth } from '@mai/host';
import { createTextOutput } from '../../../test/fake-io.js';
import { renderServing } from './serving-chart.js';

const HOUR = 3_600_000;
const output = (env: Record<string, string> = {}) => createTextOutput({ columns: 80, env });
// A name of 13 columns and the figures leave 39 columns for the chart.
const report = {
  durationMs: 12 * HOUR,
  timeByModelMs: { large: 6 * HOUR, 'a-model-with-a-very-long-name/indeed': 5.9 * HOUR },
  noModelMs: 0.1 * HOUR,
};
const served = [
  { modelKey: 'large', fromMs: 0.05 * HOUR },
  { modelKey: 'a-model-with-a-very-long-name/indeed', fromMs: 6 * HOUR },
  { modelKey: null, fromMs: 11.95 * HOUR },
];

test('shows when each model answered, and for how long', () => {
  const lines = renderServing(['large', 'unused'], served, report, output());
  expect(lines).toEqual([
    `  large          ${'█'.repeat(19)}▓${'·'.repeat(19)}          6 h   50.0 %`,
    `  unused         ${'·'.repeat(39)}         0 ms    0.0 %`,
    `  nothing ready  ░${'·'.repeat(37)}░        6 min    0.8 %`,
    `                 0:00:00${' '.repeat(24)}12:00:00`,
  ]);
});

test('shades a column in which a model answered for a part of the time, also without Unicode', () => {
  const half = { ...report, durationMs: 39_000, noModelMs: 500 };
  const parts = [{ modelKey: 'large', fromMs: 500 }];
  const ascii = output({ TERM: 'linux' });
  expect(renderServing(['large'], parts, half, ascii)[0]).toContain(`  =${'#'.repeat(38)}  `);
  expect(renderServing(['large'], parts, half, ascii)[1]).toContain(`  =${'.'.repeat(38)}  `);
});

test('fits 80 columns whatever the names are', () => {
  const keys = ['large', 'a-model-with-a-very-long-name/indeed'];
  for (const line of renderServing(keys, served, report, output())) {
    expect(textWidth(line)).toBeLessThanOrEqual(80);
  }
});

test('a simulation without duration has an empty chart', () => {
  const empty = { ...report, durationMs: 0, noModelMs: 0, timeByModelMs: {} };
  expect(renderServing(['large'], [], empty, output())[0]).toMatch(/^ {2}large +·+ +0 ms +0\.0 %$/);
});

test('of a long chain, shows only the models that answered', () => {
  const keys = ['large', ...Array.from({ length: 6 }, (_, index) => `unused-${index}`)];
  const lines = renderServing(keys, served, report, output());
  expect(lines.map((line) => line.split(' ')[2])).toEqual(['large', 'nothing', '', '6']);
  expect(lines.at(-1)).toBe('  6 other models never answered.');
});
