import { hostOf, inputOf, loadedModel, modelOf, speed } from '../../test/known-hosts.js';
import { placeRequest } from '../placement/place-request.js';
import type { PlacementAlternative } from '../placement/placement.js';
import type { SeenTime } from '../placement/placement-input.js';
import { createSeenTimes } from './seen-times.js';

/** A place at the host `attic`. Assumed: 2 s for the prompt and 15 s for the answer. */
function placeAt(
  model = loadedModel({ speed: null }),
  { requests = 0, seenTimes = [] as readonly SeenTime[] } = {},
): PlacementAlternative {
  const attic = hostOf('attic', [model], { requests: { 'mai:large': requests } });
  const [first] = placeRequest(inputOf([hostOf('own', []), attic], { seenTimes })).alternatives;
  if (first === undefined) throw new Error('No place.');
  return first;
}

test('the time of an answer is kept as a share of the assumed time', () => {
  const seen = createSeenTimes();
  seen.note(placeAt(), 3400);
  expect(seen.list()).toEqual([{ host: 'attic', modelKey: 'large', timeRatio: 0.2, answers: 1 }]);
});

test('an answer beside others says how long it takes alone', () => {
  const seen = createSeenTimes();
  // Beside one other request: 1.5 times 17 s are expected.
  seen.note(placeAt(undefined, { requests: 1 }), 5100);
  expect(seen.list()[0]?.timeRatio).toBeCloseTo(0.2, 6);
});

test('answers that take as long as expected change nothing', () => {
  const seen = createSeenTimes();
  seen.note(placeAt(), 3400);
  for (let answer = 0; answer < 20; answer += 1) {
    seen.note(placeAt(undefined, { seenTimes: seen.list() }), 3400);
  }
  expect(seen.list()[0]?.timeRatio).toBeCloseTo(0.2, 6);
});

test('a model that has become slower is known after some answers', () => {
  const seen = createSeenTimes();
  seen.note(placeAt(), 3400);
  for (let answer = 0; answer < 8; answer += 1) {
    seen.note(placeAt(undefined, { seenTimes: seen.list() }), 34_000);
  }
  // The first answer has a weight of 0.75 to the power of 8 left.
  expect(seen.list()[0]?.timeRatio).toBeCloseTo(2 - 1.8 * 0.75 ** 8, 6);
});

test.each([
  ['whose speed is known', placeAt(loadedModel({ speed: speed(30, 400) }))],
  ['that is loaded first', placeAt(modelOf({ speed: null }))],
])('nothing is learned of a model %s', (_what, place) => {
  const seen = createSeenTimes();
  seen.note(place, 3400);
  expect(seen.list()).toEqual([]);
});
