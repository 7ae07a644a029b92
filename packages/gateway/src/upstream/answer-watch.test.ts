import fc from 'fast-check';
import { AnswerWatch } from './answer-watch.js';

const LONG = 'x'.repeat(5000);

function watching(text: string, chunkBytes: number, tailBytes = 64): AnswerWatch {
  const watch = new AnswerWatch(tailBytes);
  const bytes = Buffer.from(text);
  for (let at = 0; at < bytes.length; at += chunkBytes) {
    watch.add(bytes.subarray(at, at + chunkBytes));
  }
  return watch;
}

describe('the last event of a stream', () => {
  it.each([
    ['with LF', '\n\n'],
    ['with CRLF', '\r\n\r\n'],
    ['with CR', '\r\r'],
  ])(
    '%s is known by its start, however long it is and wherever the packets cut it',
    (_what, blank) => {
      const first = `event: one\ndata: ${LONG}${blank}`;
      const last = `event: last\ndata: ${LONG}`;
      for (const end of ['', blank]) {
        for (const chunkBytes of [1, 2, 3, 7, 64, 500, 4096, 20_000]) {
          const start = watching(first + last + end, chunkBytes).lastEventStart();
          expect(start.slice(0, 17)).toBe('event: last\ndata:');
        }
      }
    },
  );

  it('is the only one where nothing precedes it', () => {
    expect(watching(`event: only\ndata: ${LONG}`, 100).lastEventStart()).toMatch(/^event: only\n/);
    expect(watching('', 1).lastEventStart()).toBe('');
  });

  it('is the one that a reader of the whole text finds', () => {
    const line = fc.constantFrom('data: a', 'event: b', ': c', 'x'.repeat(90), '', '');
    const end = fc.constantFrom('\n', '\r\n');
    fc.assert(
      fc.property(
        fc.array(line, { maxLength: 40 }),
        end,
        fc.integer({ min: 1, max: 50 }),
        (lines, lineEnd, chunkBytes) => {
          const text = lines.map((one) => one + lineEnd).join('');
          const whole = text.replace(/[\r\n]+$/, '');
          const expected = whole
            .split(/(?:\r?\n){2}/)
            .at(-1)
            ?.replace(/^[\r\n]+/, '');
          const found = watching(text, chunkBytes, 20)
            .lastEventStart()
            .replace(/^[\r\n]+/, '');
          expect(found.replace(/[\r\n]+$/, '').slice(0, 200)).toBe(expected?.slice(0, 200));
        },
      ),
      { numRuns: 300 },
    );
  });
});

test('the start of an answer is known also where it comes in small packets', () => {
  const text = `: hello\n\nevent: response.created\ndata: {"id":"resp_1"}\n\n${LONG}`;
  for (const chunkBytes of [1, 10, 10_000]) {
    expect(watching(text, chunkBytes).headText()).toBe(text.slice(0, 2048));
  }
});
