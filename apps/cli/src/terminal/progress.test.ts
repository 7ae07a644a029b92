import { textWidth } from '@mai/host';
import { createFakeIo } from '../../test/fake-io.js';
import { createProgress } from './progress.js';
import { createStyle } from './style.js';

const GIB = 2 ** 30;

function progressOn(columns: number | undefined, totalBytes: number | null) {
  const io = createFakeIo(columns === undefined ? {} : { columns });
  const clock = { nowMs: 0 };
  const progress = createProgress({
    label: 'Loading qwen/qwen3-4b',
    totalBytes,
    stream: io.stderr,
    style: createStyle(false),
    unicode: true,
    nowMs: () => clock.nowMs,
  });
  const at = (nowMs: number, ratio: number) => {
    clock.nowMs = nowMs;
    progress.update(ratio);
  };
  const frames = () => io.err().split('\r\u001b[2K').slice(1);
  return { io, at, progress, frames };
}

test('shows bytes, rate and time left on a terminal, within its width', () => {
  const { at, frames } = progressOn(80, 4 * GIB);
  at(1000, 0.25);
  at(2000, 0.5);
  expect(frames()).toHaveLength(3);
  for (const frame of frames()) expect(textWidth(frame)).toBeLessThan(80);
  expect(frames().at(-1)).toMatch(
    /^Loading qwen\/qwen3-4b █+ +50 % {2}2\.0 of 4\.0 GiB {3}1\.0 GiB\/s {2}2\.0 s left$/,
  );
});

test('redraws a terminal at most every 50 ms', () => {
  const { at, frames } = progressOn(80, GIB);
  for (let nowMs = 1; nowMs <= 100; nowMs += 1) at(nowMs, nowMs / 1000);
  expect(frames()).toHaveLength(3);
});

test.each([120, 80, 60, 50, 40])('shows only whole figures at %d columns', (columns) => {
  const { at, frames } = progressOn(columns, 11.3 * GIB);
  at(0, 0);
  at(2000, 0.5);
  const line = frames().at(-1) ?? '';
  expect(textWidth(line)).toBeLessThan(columns);
  expect(line).toMatch(/ 50 %(  ? *[\d.]+ of 11\.3 GiB( +[\d.]+ GiB\/s( +[\d.]+ s left)?)?)?$/);
});

test.each([80, 60, 50, 40])('also where the size is not known, at %d columns', (columns) => {
  const { at, frames } = progressOn(columns, null);
  at(0, 0);
  at(2000, 0.5);
  expect(frames().at(-1)).toMatch(/ 50 %( {2}2\.0 s left)?$/);
});

test('clearing leaves an empty line', () => {
  const { progress, frames } = progressOn(80, GIB);
  progress.clear();
  expect(frames().at(-1)).toBe('');
});

test('without a terminal, writes a line for each quarter, without control sequences', () => {
  const { at, io, progress } = progressOn(undefined, 4 * GIB);
  for (let step = 0; step <= 100; step += 1) at(step, step / 100);
  progress.clear();
  expect(io.err()).toBe(
    [
      'Loading qwen/qwen3-4b (4.0 GiB)',
      'Loading qwen/qwen3-4b: 25 %',
      'Loading qwen/qwen3-4b: 50 %',
      'Loading qwen/qwen3-4b: 75 %',
      '',
    ].join('\n'),
  );
});
