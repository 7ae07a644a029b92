import { placeLabels, type PlacedLabel } from './place-labels.js';

const AREA = { left: 60, right: 720, top: 24, bottom: 368 };
const widthOf = ({ text }: PlacedLabel): number => text.length * 7;
const leftOf = (label: PlacedLabel): number =>
  label.anchor === 'start' ? label.x : label.x - widthOf(label);
const point = (x: number, y: number, name = 'qwen/qwen3-30b-a3b-instruct') => ({ x, y, name });

test('a name stands right above its point where there is room', () => {
  expect(placeLabels([point(100, 200, 'a')], AREA)).toEqual([
    { x: 109, y: 194, anchor: 'start', text: 'a' },
  ]);
});

test.each([
  ['the right edge', point(690, 200)],
  ['the left edge', point(61, 200)],
  ['the top', point(400, 24)],
  ['the bottom', point(400, 368)],
  ['the corner', point(719, 24)],
])('a name at %s stays within the plot', (_, one) => {
  const [label] = placeLabels([one], AREA);
  if (label === undefined) throw new Error('There is no label.');
  expect(leftOf(label)).toBeGreaterThanOrEqual(AREA.left);
  expect(leftOf(label) + widthOf(label)).toBeLessThanOrEqual(AREA.right);
  expect(label.y).toBeGreaterThanOrEqual(AREA.top);
  expect(label.y).toBeLessThanOrEqual(AREA.bottom);
});

test('names of points at the same place do not cover each other', () => {
  const labels = placeLabels(
    Array.from({ length: 6 }, (_, index) => point(300, 200 + index)),
    AREA,
  );
  for (const [index, one] of labels.entries()) {
    for (const other of labels.slice(index + 1)) {
      const apart =
        Math.abs(one.y - other.y) >= 14 ||
        leftOf(one) + widthOf(one) <= leftOf(other) ||
        leftOf(other) + widthOf(other) <= leftOf(one);
      expect(apart).toBe(true);
    }
  }
});

test('a very long name is cut in its middle', () => {
  const [label] = placeLabels([point(300, 200, `start${'-'.repeat(100)}end`)], AREA);
  expect(label?.text).toMatch(/^start-+…-+end$/);
  expect(label?.text.length).toBeLessThan(50);
});
