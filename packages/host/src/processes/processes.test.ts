import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { startProgram } from '../../test/start-program.js';
import { chooseProcess } from './find-process.js';
import { isProgram, listProcesses, namesOf, parseTable } from './list-processes.js';

test('a running program is found by its whole name', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'mai processes '));
  // Longer than 15 bytes, because Linux cuts process names to 15.
  const name = 'mai-program-of-a-long-name';
  const program = await startProgram(folder, name);
  const listed = await listProcesses(process.platform, new AbortController().signal);
  const found = listed.find(({ processId }) => processId === program.processId);
  expect(found).toMatchObject({ parentId: process.pid });
  expect(found === undefined ? null : isProgram(found, name)).toBe(true);
  await program.end();
  await rm(folder, { recursive: true, force: true });
});

test('parses the output of ps and of PowerShell', () => {
  const mac =
    '    1     0 /sbin/launchd\n  501     1 /Applications/My Game.app/Contents/MacOS/My Game\n';
  expect(parseTable(mac)).toEqual([
    { processId: 1, parentId: 0, name: 'launchd', startedAs: null },
    { processId: 501, parentId: 1, name: 'My Game', startedAs: null },
  ]);
  expect(parseTable('4 0 System\r\n812 4 Blender.exe\r\n')).toEqual([
    { processId: 4, parentId: 0, name: 'System', startedAs: null },
    { processId: 812, parentId: 4, name: 'Blender.exe', startedAs: null },
  ]);
});

test.each([
  ['blender', 'blender', true],
  ['Blender.exe', 'blender', true],
  ['blender', 'blender.exe', true],
  ['blender-thumbnailer', 'blender', false],
])('whether the program %s has the name %s: %s', (name, wanted, same) => {
  expect(isProgram({ name, startedAs: null }, wanted)).toBe(same);
  expect(isProgram({ name: 'MainThread', startedAs: name }, wanted)).toBe(same);
});

test.each([
  ['blender', '/usr/bin/blender\0scene.blend\0', 'blender', null],
  ['mai-program-of-', '/opt/mai-program-of-a-long-name\0', 'mai-program-of-a-long-name', null],
  ['MainThread', '/usr/bin/node\0server.js\0', 'MainThread', 'node'],
  ['GeckoMain', '/usr/lib/firefox/firefox\0', 'GeckoMain', 'firefox'],
  ['game.exe', 'C:\\Games\\game.exe\0', 'game.exe', null],
  // A script is named after its file, not after its interpreter.
  [
    'networkd-dispat',
    '/usr/bin/python3\0/usr/bin/networkd-dispatcher\0',
    'networkd-dispatcher',
    null,
  ],
  ['sshd', 'sshd: somebody@pts/0\0', 'sshd', null],
  ['kworker/0:1', '', 'kworker/0:1', null],
])(
  'kernel name %s and command line %j give the names %s and %s',
  (short, commandLine, name, startedAs) => {
    expect(namesOf(short, commandLine)).toEqual({ name, startedAs });
  },
);

describe('chooseProcess', () => {
  const one = (processId: number, parentId: number, name = 'browser') => ({
    processId,
    parentId,
    name,
    startedAs: null,
  });

  test('chooses the process that started the others of its name', () => {
    expect(chooseProcess('browser', [one(7, 5), one(5, 1), one(8, 7), one(9, 1, 'shell')])).toEqual(
      one(5, 1),
    );
  });

  test('refuses to guess between two independent processes', () => {
    expect(() => chooseProcess('browser', [one(5, 1), one(6, 1)])).toThrow(
      '2 processes are called browser: 5, 6. Give the id of one of them.',
    );
  });
});
