import { AnswerReader, finalSnapshot, withoutOpenEnd, type AnswerDelta } from './answer.js';
import type { CompletionReport } from './llama-door.js';

function read(reader: AnswerReader, content: string, isFinal = false): readonly AnswerDelta[] {
  return [...reader.read({ content, reasoning: '', toolCalls: [] }, isFinal)];
}

describe('The text of an answer', () => {
  it('is sent as it grows', () => {
    const reader = new AnswerReader([], Infinity);
    expect(read(reader, 'ab')).toEqual([{ type: 'content', text: 'ab' }]);
    expect(read(reader, 'abc')).toEqual([{ type: 'content', text: 'c' }]);
    expect(read(reader, 'abc', true)).toEqual([]);
  });

  it('holds back a character whose bytes are not complete, until the answer ends', () => {
    const reader = new AnswerReader([], Infinity);
    expect(read(reader, 'a\uFFFD')).toEqual([{ type: 'content', text: 'a' }]);
    expect(read(reader, 'aé')).toEqual([{ type: 'content', text: 'é' }]);
    expect(read(reader, 'aé\uFFFD', true)).toEqual([{ type: 'content', text: '\uFFFD' }]);
  });

  it.each([
    { texts: ['x', 'xS', 'xST', 'xSTOP'], sent: 'x', stop: 'STOP' },
    { texts: ['xST', 'xSTx', 'xSTxy'], sent: 'xSTxy', stop: null },
    { texts: ['xSTOPabc'], sent: 'x', stop: 'STOP' },
    { texts: ['abEND STOP'], sent: 'ab', stop: 'END' },
    { texts: ['xSTO'], sent: 'xSTO', stop: null },
  ])('never holds a stop sequence or its start: $texts', ({ texts, sent, stop }) => {
    const reader = new AnswerReader(['STOP', 'END'], Infinity);
    const deltas = texts.flatMap((text, index) => read(reader, text, index === texts.length - 1));
    expect(deltas.map((delta) => ('text' in delta ? delta.text : '')).join('')).toBe(sent);
    expect(reader.stop).toBe(stop);
  });
});

describe('A stop sequence in another part than the text', () => {
  type Parts = Partial<Parameters<AnswerReader['read']>[0]>;
  const readAll = (steps: readonly Parts[]) => {
    const reader = new AnswerReader(['STOP'], Infinity);
    const sent = { reasoning: '', content: '', 'tool-arguments': '', order: '' };
    for (const [index, parts] of steps.entries()) {
      const snapshot = { content: '', reasoning: '', toolCalls: [], ...parts };
      for (const delta of reader.read(snapshot, index === steps.length - 1)) {
        if (delta.type === 'tool-call') continue;
        sent[delta.type] += delta.text;
        sent.order += delta.type[0];
      }
    }
    return { ...sent, stop: reader.stop };
  };
  const args = (...texts: readonly string[]) => ({
    toolCalls: texts.map((text) => ({ name: 'f', arguments: text })),
  });

  it.each([
    [
      'reasoning',
      [{ reasoning: 'hm S' }, { reasoning: 'hm STO' }, { reasoning: 'hm STOP, well' }],
      { reasoning: 'hm ', content: '', stop: 'STOP' },
    ],
    [
      'reasoning, with text behind it',
      [{ reasoning: 'hm STOP', content: 'no' }],
      { reasoning: 'hm ', content: '', stop: 'STOP' },
    ],
    [
      'the arguments of a call',
      [args('{"a":"x'), args('{"a":"xST'), args('{"a":"xSTOP"')],
      { 'tool-arguments': '{"a":"x', stop: 'STOP' },
    ],
    [
      'the arguments of the first call',
      [args('{"a":"STOP"}', '{"b":1}')],
      { 'tool-arguments': '{"a":"', stop: 'STOP' },
    ],
    [
      'no part, but its start at the end of each',
      [
        { reasoning: 'aS' },
        { reasoning: 'aS', content: 'bST' },
        { reasoning: 'aS', content: 'bST', ...args('cS') },
        { reasoning: 'aS', content: 'bST', ...args('cS') },
      ],
      { reasoning: 'aS', content: 'bST', 'tool-arguments': 'cS', order: 'rrcctt', stop: null },
    ],
  ])('is taken off: %s', (_, steps, expected) => {
    expect(readAll(steps)).toMatchObject(expected);
  });
});

describe('The tool calls of an answer', () => {
  const call = (name: string, text: string): { name: string; arguments: string } => ({
    name,
    arguments: text,
  });
  const readCalls = (
    reader: AnswerReader,
    toolCalls: { name: string; arguments: string }[],
  ): readonly AnswerDelta[] => [...reader.read({ content: '', reasoning: '', toolCalls }, false)];

  it('begin with the name, and their arguments follow in pieces', () => {
    const reader = new AnswerReader([], Infinity);
    expect(readCalls(reader, [call('f', '{')])).toEqual([
      { type: 'tool-call', index: 0, name: 'f' },
      { type: 'tool-arguments', index: 0, text: '{' },
    ]);
    expect(readCalls(reader, [call('f', '{"a":1}'), call('g', '')])).toEqual([
      { type: 'tool-arguments', index: 0, text: '"a":1}' },
      { type: 'tool-call', index: 1, name: 'g' },
    ]);
  });

  it('end the answer when there is one more than allowed', () => {
    const reader = new AnswerReader([], 1);
    expect(readCalls(reader, [call('f', '{}'), call('g', '')])).toHaveLength(2);
    expect(reader.isDone).toBe(true);
    expect(reader.toolCalls).toBe(1);
  });
});

describe('The end of an answer', () => {
  const EMPTY = { content: '', reasoning: '', toolCalls: [] };
  const end = (more: Partial<CompletionReport>) =>
    ({
      text: '<tool_call>{',
      stopped_limit: false,
      stopped_word: false,
      context_full: false,
      ...more,
    }) as CompletionReport;

  it.each([
    ['a limit inside a call', { stopped_limit: true }, 'Let me look.'],
    ['a full context inside a call', { context_full: true }, 'Let me look.'],
    ['a stop sequence inside a call', { stopped_word: true }, 'Let me look.'],
    ['the model, with a text that is no call', {}, '<tool_call>{'],
  ])('that llama.cpp cannot parse, because of %s', (_, more, content) => {
    const newest = { ...EMPTY, content: 'Let me look.' };
    expect(finalSnapshot(EMPTY, end(more), newest).content).toBe(content);
  });

  it('is what llama.cpp has parsed', () => {
    const parsed = { ...EMPTY, reasoning: 'hm' };
    expect(finalSnapshot(parsed, end({ stopped_limit: true }), EMPTY)).toBe(parsed);
  });

  it('has no character of which bytes are missing, in no part', () => {
    const open = {
      content: 'a\uFFFD',
      reasoning: 'b\uFFFD\uFFFD',
      toolCalls: [{ name: 'f', arguments: '{"\uFFFD' }],
    };
    expect(withoutOpenEnd(open)).toEqual({
      content: 'a',
      reasoning: 'b',
      toolCalls: [{ name: 'f', arguments: '{"' }],
    });
  });
});
