import { asSentence } from './as-sentence.js';

test.each([
  ['other side closed', 'other side closed.'],
  ['connect ECONNREFUSED 127.0.0.1:1\n', 'connect ECONNREFUSED 127.0.0.1:1.'],
  ['The model has crashed.', 'The model has crashed.'],
  ['Is it loaded?', 'Is it loaded?'],
  ['Say "stop."', 'Say "stop."'],
  ['a text that was cut...', 'a text that was cut...'],
])('%j ends as a sentence', (text, sentence) => {
  expect(asSentence(text)).toBe(sentence);
});
