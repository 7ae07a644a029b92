import { plainText } from './plain-text.js';
import { toServerError } from './server-error.js';

test.each([
  [
    { title: 'Failed to load model', cause: 'unable to allocate CUDA0 buffer' },
    'Failed to load model: unable to allocate CUDA0 buffer',
  ],
  [
    { title: 'Error loading model.', cause: '(Exit code: 6). Unknown error.' },
    'Error loading model: (Exit code: 6). Unknown error.',
  ],
  // An empty title adds no colon.
  [{ title: '', cause: 'no more memory' }, 'no more memory'],
  [
    { title: 'Unknown error', rootTitle: 'Engine exited', cause: 'signal 9' },
    'Engine exited: signal 9',
  ],
  [{ title: '', cause: '' }, 'unknown error'],
  [{}, 'unknown error'],
  // LM Studio's suggestion is dropped.
  [{ title: 'No runtime', suggestion: 'Buy more memory' }, 'No runtime'],
  // The cause often repeats the title.
  [{ title: 'Engine exited', cause: 'Engine exited with code 6' }, 'Engine exited with code 6'],
])('%j reads as %s', (serialized, message) => {
  expect(toServerError(serialized).message).toBe(message);
});

test('keeps LM Studio’s code', () => {
  const error = toServerError({ title: 'x', displayData: { code: 'generic.pathNotFound' } });
  expect(error.code).toBe('generic.pathNotFound');
  expect(toServerError({ title: 'x' }).code).toBeNull();
});

test.each([
  ['┌── Error ──┐\n│ It failed │\n└───────────┘', 'Error. It failed'],
  [
    'Error loading model. \n\n\n   (X) CAUSE  \n\n(Exit code: 6)',
    'Error loading model. (Exit code: 6)',
  ],
  [
    '╭ Failed to load ╮ │ Out of memory │ ╰───╯ (!) SUGGESTION Buy more memory (X) CAUSE Exit code: 6',
    'Failed to load. Out of memory. Exit code: 6',
  ],
  ['It failed (!) SUGGESTION Check the logs.', 'It failed'],
  ['\u001b[31mred\u001b[0m  text', 'red text'],
  ['Failed to load\nTry another engine', 'Failed to load. Try another engine'],
  ['a line that is\nbroken in the middle', 'a line that is broken in the middle'],
])('%j in one line', (message, line) => {
  expect(plainText(message)).toBe(line);
});
