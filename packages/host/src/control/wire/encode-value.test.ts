import { AutopilotError, isAutopilotError } from '@mai/autopilot';
import { isLMStudioError, LMStudioError } from '@mai/lmstudio-adapter';
import { HostError, isHostError } from '../../host-error.js';
import { decodeValue, encodeValue } from './encode-value.js';

const roundTrip = (value: unknown): unknown => decodeValue(encodeValue(value));

test.each([
  ['plain data', { a: [1, 'two', null, true], b: { c: 0.5 } }],
  ['numbers that are not finite', { up: Infinity, down: -Infinity }],
  ['text with line breaks', 'one\ntwo\u2028three'],
])('%s arrives unchanged', (_name, value) => {
  expect(roundTrip(value)).toEqual(value);
});

test('a message is one line', () => {
  expect(encodeValue({ text: 'one\ntwo\r\n' })).not.toMatch(/[\r\n]/);
});

test('errors keep their class, code, message, facts and cause', () => {
  const inner = new LMStudioError('LOAD_FAILED', 'Too large.', {
    modelKey: 'x',
    outOfMemory: true,
  });
  const outer = new LMStudioError('LOAD_FAILED', 'None loads.', {
    failures: [{ modelKey: 'x', error: inner }],
    cause: inner,
  });
  const received = roundTrip(outer);
  expect(isLMStudioError(received)).toBe(true);
  expect(isAutopilotError(received)).toBe(false);
  expect(received).toMatchObject({
    name: 'LMStudioError',
    code: 'LOAD_FAILED',
    message: 'None loads.',
    baseUrl: null,
    failures: [{ modelKey: 'x', error: { code: 'LOAD_FAILED', outOfMemory: true } }],
    cause: { name: 'LMStudioError', message: 'Too large.', modelKey: 'x' },
  });
  expect(
    isAutopilotError(roundTrip(new AutopilotError('ALREADY_RUNNING', 'x', { processId: 7 }))),
  ).toBe(true);
  const lost = roundTrip(new HostError('AUTOPILOT_LOST', 'x', { processId: 7 }));
  expect(isHostError(lost)).toBe(true);
  expect(lost).toMatchObject({ code: 'AUTOPILOT_LOST', processId: 7, selection: null });
});

test('AbortErrors, TypeErrors and unknown errors keep their names', () => {
  expect(roundTrip(new DOMException('Stopped.', 'AbortError'))).toMatchObject({
    name: 'AbortError',
    message: 'Stopped.',
  });
  expect(roundTrip(new TypeError('x'))).toBeInstanceOf(TypeError);
  const odd = Object.assign(new Error('x'), { name: 'Odd', errno: -2 });
  expect(roundTrip(odd)).toMatchObject({ name: 'Odd', message: 'x', errno: -2 });
});

test('the facts of an error cannot change its prototype or its brand', () => {
  const text = JSON.stringify({
    '@mai/error': { name: 'X', message: 'm', brand: 'other/brand', facts: { __proto__: 1 } },
  }).replace('"facts":{}', '"facts":{"__proto__":{"polluted":true},"constructor":1}');
  const received = decodeValue(text);
  expect(received).toBeInstanceOf(Error);
  expect({}).not.toHaveProperty('polluted');
  expect(Object.getOwnPropertySymbols(received)).toEqual([]);
});
