import { setFlagsFromString } from 'node:v8';
import { runInThisContext } from 'node:vm';
import type { JsonObject } from '../json.js';
import { INFERENCE_ENDPOINTS } from './routes.js';

setFlagsFromString('--allow-natives-syntax');
const haveSameClass: (one: object, other: object) => boolean = runInThisContext(
  '(one, other) => %HaveSameMap(one, other)',
);

const BODY: JsonObject = {
  model: 'auto',
  messages: [{ role: 'user', content: 'Hi' }],
  input: 'Hi',
};

test('the flag tells classes apart', () => {
  expect(haveSameClass({ a: 1 }, { b: 1 })).toBe(false);
});

// With a class of its own for each request, 16 accesses to its fields were looked up anew, and each class survived until a full collection.
test.each([...INFERENCE_ENDPOINTS])(
  'the facts of all requests of %s have one hidden class',
  (_path, { protocol }) => {
    // The first calls share a class in any case: V8 makes others once it has inline caches for a function.
    const facts = Array.from({ length: 100 }, () => protocol.read(BODY));
    const [last = {}, before = {}] = facts.toReversed();
    expect(haveSameClass(last, before)).toBe(true);
  },
);
