import { assignSlots, COLOURS } from './colour-slots.js';

test('gives each resident a colour of its own, in order', () => {
  expect(assignSlots({}, ['a', 'b'])).toEqual({ a: 0, b: 1 });
});

test('a resident keeps its colour when another one leaves, and the freed colour is used again', () => {
  const slots = assignSlots({}, ['a', 'b', 'c']);
  expect(assignSlots(slots, ['b', 'c', 'd'])).toEqual({ b: 1, c: 2, d: 0 });
});

test('returns the same object where nothing changes', () => {
  const slots = assignSlots({}, ['a']);
  expect(assignSlots(slots, ['a'])).toBe(slots);
});

test('shares the least used colour where there are more residents than colours', () => {
  const many = Array.from({ length: COLOURS + 2 }, (_, index) => `model ${index}`);
  const slots = assignSlots({}, many);
  expect(many.map((one) => slots[one])).toEqual([0, 1, 2, 3, 4, 5, 0, 1]);
});

test('counts a resident that is named twice once', () => {
  expect(assignSlots({}, ['a', 'a', 'b'])).toEqual({ a: 0, b: 1 });
});

test.each(['__proto__', 'constructor'])('treats %s as a name like any other', (name) => {
  const slots = assignSlots({}, [name]);
  expect(Object.entries(slots)).toEqual([[name, 0]]);
});
