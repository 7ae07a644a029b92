import { parseInstance, parseListing, parseLoaded, parseSurvey } from './parse-answers.js';

test('an entry without a key is left out, and missing facts are null', () => {
  expect(parseListing([{ type: 'llm', modelKey: 'a/b' }, { type: 'llm' }, null, 7])).toMatchObject({
    models: [{ modelKey: 'a/b', displayName: 'a/b', path: null, maxContextLength: null }],
    leftOut: [
      { modelKey: null, type: 'llm' },
      { modelKey: null, type: null },
      { modelKey: null, type: null },
    ],
  });
});

test.each([[undefined], [null], ['text'], [{}], [7]])(
  'reads neither a listing nor a survey from %j',
  (answer) => {
    expect(parseListing(answer)).toBeUndefined();
    expect(parseLoaded(answer)).toBeUndefined();
    expect(parseInstance(answer, 'llm')).toBeUndefined();
    expect(parseSurvey(answer)).toBeUndefined();
  },
);

test('an instance of an unknown type or without a model key does not end the list', () => {
  const instance = { identifier: 'mine', instanceReference: 'ref-1', maxContextLength: 0 };
  expect(parseInstance({ ...instance, type: 'vlm', modelKey: 'a/b' }, 'llm')).toMatchObject({
    type: 'llm',
    modelKey: 'a/b',
  });
  expect(parseInstance(instance, 'embedding')).toMatchObject({
    type: 'embedding',
    modelKey: 'mine',
  });
});

test('an engine of unknown shape does not end the survey', () => {
  expect(parseSurvey({ status: 'ok', engines: [{ engine: 'llama.cpp' }] })).toMatchObject({
    status: 'ok',
    engines: [{ engine: 'llama.cpp', gpus: [], cpu: null, gpuResult: { code: 'unknown' } }],
  });
});
