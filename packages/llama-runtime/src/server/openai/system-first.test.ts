import { withSystemFirst } from './system-first.js';

const system = (content: unknown) => ({ role: 'system', content });
const user = (content: unknown) => ({ role: 'user', content });
const assistant = { role: 'assistant', content: 'Yes.' };
const result = { role: 'tool', tool_call_id: 'a', content: 'rain' };
const reminder = (text: string) => `<system-reminder>\n${text}\n</system-reminder>`;

describe('system text', () => {
  it('at the start is one message', () => {
    const placed = withSystemFirst([system('a'), system('b'), user('hi')]);
    expect(placed).toEqual([system('a\n\nb'), user('hi')]);
  });

  it.each([
    ['after the user', [user('hi'), system('a')], [user(`hi\n\n${reminder('a')}`)]],
    [
      'between two messages of the user',
      [user('hi'), system('a'), user('go')],
      [user(`hi\n\n${reminder('a')}\n\ngo`)],
    ],
    [
      'after an answer',
      [user('hi'), assistant, system('a'), user('go')],
      [user('hi'), assistant, user(`${reminder('a')}\n\ngo`)],
    ],
    [
      'after the result of a tool',
      [user('hi'), assistant, result, system('a'), system('b')],
      [user('hi'), assistant, result, user(`${reminder('a')}\n\n${reminder('b')}`)],
    ],
  ])('%s is text of the user, in its place', (_where, messages, placed) => {
    expect(withSystemFirst(messages)).toEqual(placed);
  });

  it('beside an image keeps the order of the parts', () => {
    const image = { type: 'text', text: '<__media__>' };
    expect(withSystemFirst([user([image]), system('a')])).toEqual([
      user([image, { type: 'text', text: reminder('a') }]),
    ]);
  });

  it('is all that moves: two messages of the user stay two', () => {
    const messages = [user('hi'), user('go'), assistant, user('on')];
    expect(withSystemFirst(messages)).toEqual(messages);
  });
});
