import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { stripVTControlCharacters } from 'node:util';
import { findEngine, writeNoiseModel } from '@mai/llama-runtime';
import { MAI } from '../../test/built-program.js';

// The built program with a real engine, in a real pseudo-terminal: util-linux's `script` makes one. During an answer its line
// discipline turns the character of Ctrl-C into SIGINT for the whole process group.
const SCRIPT = '/usr/bin/script';
const CTRL_C = '\u0003';
const CTRL_D = '\u0004';
/** Each digit is a token, so that the engine reads this question for seconds. */
const LONG_QUESTION = '7'.repeat(2500);

/** Shorter than the timeout of a test, so that a failure names the missing text. */
const SHOWN_WITHIN_MS = 60_000;

jest.setTimeout(90_000);

let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'mai-'));
  mkdirSync(path.join(folder, 'models'));
  const shape = { layers: 6, width: 512 };
  await writeNoiseModel(path.join(folder, 'models', 'noise.gguf'), shape);
  await writeNoiseModel(path.join(folder, 'models', 'other.gguf'), shape);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Starts `mai chat` in a terminal. */
function openChat() {
  const words = [process.execPath, MAI, 'chat', '--runtime', 'embedded', '--models', 'models'];
  // `exec`: Ctrl-C would also end a shell in between.
  const command = `exec ${words.map((word) => `'${word}'`).join(' ')}`;
  const child = spawn(SCRIPT, ['-qfec', command, '/dev/null'], {
    cwd: folder,
    env: {
      ...process.env,
      HOME: folder,
      NO_COLOR: '1',
      TERM: 'xterm',
      SHELL: '/bin/sh',
      XDG_DATA_HOME: folder,
      XDG_CONFIG_HOME: folder,
      XDG_CACHE_HOME: folder,
    },
  });
  let shown = '';
  let from = 0;
  child.stdout.on('data', (chunk: Buffer) => (shown += stripVTControlCharacters(chunk.toString())));
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  /** Waits for a text after the one that was waited for last. */
  const shows = async (text: string): Promise<void> => {
    const untilMs = performance.now() + SHOWN_WITHIN_MS;
    for (;;) {
      const at = shown.indexOf(text, from);
      if (at !== -1) return void (from = at + text.length);
      if (child.exitCode !== null) throw new Error(`It ended without "${text}": ${shown}`);
      if (performance.now() > untilMs) throw new Error(`It does not show "${text}": ${shown}`);
      await sleep(20);
    }
  };
  return {
    type: (text: string) => child.stdin.write(text),
    shows,
    ended,
    isRunning: () => child.exitCode === null,
    kill: () => child.kill('SIGKILL'),
  };
}

const engines = async (): Promise<readonly string[]> =>
  (await readdir(path.join(folder, 'mai', 'engines'))).filter((name) => name.endsWith('.json'));

const inTerminal = (name: string, body: (chat: ReturnType<typeof openChat>) => Promise<void>) =>
  (process.platform === 'linux' && existsSync(SCRIPT) ? test : test.skip)(name, async () => {
    // Without an engine the command has no conversation; other tests check its message.
    if ((await findEngine()) === null) return;
    const chat = openChat();
    try {
      await body(chat);
    } finally {
      chat.kill();
    }
  });

inTerminal('Ctrl-C stops an answer, and the session goes on until Ctrl-D', async (chat) => {
  await chat.shows('Ctrl-C stops an answer.');
  await chat.shows('> ');
  chat.type(`${LONG_QUESTION}\n`);
  await chat.shows('noise answers.');
  chat.type(CTRL_C);
  await chat.shows('> ');
  expect(chat.isRunning()).toBe(true);
  expect(await engines()).toHaveLength(1);
  chat.type('/model other\n');
  await chat.shows('The next question goes to other. The last answer is from noise.');
  await chat.shows('> ');
  chat.type(`${LONG_QUESTION}\n`);
  await chat.shows('other answers.');
  chat.type(CTRL_C);
  await chat.shows('> ');
  chat.type('/why\n');
  await chat.shows('Choice: other');
  await chat.shows('> ');
  chat.type(CTRL_D);
  expect(await chat.ended).toBe(0);
  expect(await engines()).toEqual([]);
});

inTerminal('a second Ctrl-C leaves with code 130, and no engine is left', async (chat) => {
  await chat.shows('> ');
  chat.type(`${LONG_QUESTION}\n`);
  await chat.shows('noise answers.');
  chat.type(CTRL_C);
  await chat.shows('> ');
  chat.type(CTRL_C);
  expect(await chat.ended).toBe(130);
  expect(await engines()).toEqual([]);
});

// The answer may have ended before a person presses Ctrl-C.
inTerminal(
  'Ctrl-C while no answer runs drops the line, and leaves when it comes twice',
  async (chat) => {
    await chat.shows('> ');
    chat.type('7');
    await chat.shows('7');
    chat.type(CTRL_C);
    await chat.shows('Press Ctrl-C again or Ctrl-D to leave.');
    await chat.shows('> ');
    chat.type('/new\n');
    await chat.shows('The next question begins a new conversation.');
    await chat.shows('> ');
    chat.type(CTRL_C);
    await chat.shows('Press Ctrl-C again or Ctrl-D to leave.');
    await chat.shows('> ');
    expect(chat.isRunning()).toBe(true);
    chat.type(CTRL_C);
    expect(await chat.ended).toBe(130);
  },
);

inTerminal('a pasted text and a line of any length are one question each', async (chat) => {
  await chat.shows('> ');
  chat.type('\u001b[200~one\rtwo ü\rthree\u001b[201~');
  await chat.shows('[pasted text 1, 3 lines]');
  chat.type('\r');
  await chat.shows('noise answers.');
  await chat.shows('> ');
  // The line discipline of a terminal would keep 4095 bytes of this line. The engine refuses it by its length.
  chat.type(`${'7'.repeat(34_000)}\r`);
  await chat.shows('error:');
  await chat.shows('> ');
  chat.type('/quit\r');
  expect(await chat.ended).toBe(0);
});
