import { PassThrough } from 'node:stream';
import { stripVTControlCharacters } from 'node:util';
import { readTypedLines } from './typed-lines.js';

/** A keyboard and a screen in memory. The tests of `mai chat` use a real terminal. */
function openTerminal() {
  let shown = '';
  const modes: boolean[] = [];
  const input = Object.assign(new PassThrough(), { setRawMode: (raw: boolean) => modes.push(raw) });
  const output = new PassThrough();
  output.on('data', (chunk: Buffer) => (shown += chunk.toString()));
  const stop = new AbortController();
  let interrupts = 0;
  const lines = readTypedLines(
    { input, output },
    { prompt: '> ', onInterrupt: () => (interrupts += 1), signal: stop.signal },
  );
  return {
    lines,
    input,
    stop,
    modes,
    interrupts: () => interrupts,
    type: (text: string) => void input.write(text),
    shown: () => stripVTControlCharacters(shown),
  };
}

test('each line is read once, without empty lines, and can be edited', async () => {
  const { lines, type, shown } = openTerminal();
  const first = lines.next();
  type('\r  \rHullo\u007f\u007f\u007flo, wörld\r');
  expect(await first).toEqual({ done: false, value: 'Hulo, wörld' });
  expect(shown()).toContain('> ');
  const again = lines.next();
  // The arrow up brings the last line back.
  type('\u001b[A!\r');
  expect((await again).value).toBe('Hulo, wörld!');
});

test('a line may be longer than a terminal takes by itself, and pasted lines are one line', async () => {
  const { lines, type } = openTerminal();
  const first = lines.next();
  type(`${'7'.repeat(6000)}\r`);
  expect((await first).value).toHaveLength(6000);
  const second = lines.next();
  type('Explain \u001b[200~a\rb\rc\u001b[201~\r');
  expect((await second).value).toBe('Explain a\nb\nc');
});

test('lines that are typed during an answer wait, and raw mode is on only while a line is typed', async () => {
  const { lines, type, modes } = openTerminal();
  const first = lines.next();
  type('one\rtwo\rthr');
  expect((await first).value).toBe('one');
  expect(modes).toEqual([true, false]);
  expect((await lines.next()).value).toBe('two');
  const third = lines.next();
  type('ee\r');
  expect((await third).value).toBe('three');
  expect(modes).toEqual([true, false, true, false]);
});

test('Ctrl-C is reported and drops the line, and Ctrl-D on an empty line ends the lines', async () => {
  const { lines, type, interrupts, modes } = openTerminal();
  const next = lines.next();
  type('x\u0003');
  type('\u0004');
  expect((await next).done).toBe(true);
  expect(interrupts()).toBe(1);
  expect(modes.at(-1)).toBe(false);
});

test.each([
  ['the signal', ({ stop }: ReturnType<typeof openTerminal>) => stop.abort()],
  ['the end of the terminal', ({ input }: ReturnType<typeof openTerminal>) => input.end()],
  [
    'an error of the terminal',
    ({ input }: ReturnType<typeof openTerminal>) => input.destroy(new Error('EIO')),
  ],
])('%s ends the lines, and the terminal is as it was', async (_, end) => {
  const terminal = openTerminal();
  const next = terminal.lines.next();
  terminal.type('half a line');
  end(terminal);
  expect((await next).done).toBe(true);
  expect(terminal.modes).toEqual([true, false]);
});

test('a signal that has fired before reads nothing', async () => {
  const terminal = openTerminal();
  terminal.stop.abort();
  expect((await terminal.lines.next()).done).toBe(true);
  expect(terminal.modes).toEqual([]);
});
