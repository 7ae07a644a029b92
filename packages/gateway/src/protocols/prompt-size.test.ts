import { measurePrompt } from './prompt-size.js';

const DATA = 'A'.repeat(50_000);

test.each([
  ['a picture of chat', { type: 'image_url', image_url: { url: DATA } }, 1],
  ['a picture of responses', { type: 'input_image', image_url: DATA }, 1],
  ['a picture of messages', { type: 'image', source: { type: 'base64', data: DATA } }, 1],
  ['a screenshot of a computer', { type: 'computer_screenshot', image_url: DATA }, 1],
  ['a PDF of messages', { type: 'document', source: { type: 'base64', data: DATA } }, 0],
  ['a file of chat', { type: 'file', file: { file_data: DATA } }, 0],
  ['audio', { type: 'input_audio', input_audio: { data: DATA, format: 'wav' } }, 0],
  ['a generated picture', { type: 'image_generation_call', result: DATA }, 0],
])('%s does not count as text', (_what, part, images) => {
  const size = measurePrompt([[{ role: 'user', content: [part] }]]);
  expect(size.images).toBe(images);
  expect(size.bytes).toBeLessThan(200);
});

test('a document of messages counts as far as it is text', () => {
  const text = { type: 'document', source: { type: 'text', media_type: 'text/plain', data: DATA } };
  const parts = {
    type: 'document',
    source: {
      type: 'content',
      content: [
        { type: 'text', text: DATA },
        { type: 'image', source: {} },
      ],
    },
  };
  const size = measurePrompt([[{ role: 'user', content: [text, parts] }]]);
  expect(size.images).toBe(1);
  expect(size.bytes).toBeGreaterThan(2 * DATA.length);
  expect(size.bytes).toBeLessThan(2 * DATA.length + 300);
});
