import { runtimeFailureIn } from './runtime-failure.js';

const answered = (status: number, error: object) =>
  runtimeFailureIn({
    status,
    contentType: 'application/json',
    text: JSON.stringify({ error }),
    ended: true,
  });

test.each(['context_length_exceeded', 'image_parse_error', 'invalid_value'])(
  'a request that any resident would refuse with %s is not tried again, whatever the text',
  (code) => {
    expect(answered(400, { code, message: 'failed to load the image' })).toMatchObject({
      retriable: false,
    });
  },
);

test('the same text without such a code is tried again, because LM Studio has it after a crash', () => {
  expect(answered(400, { code: null, message: 'Failed to load model' })).toMatchObject({
    retriable: true,
  });
});
