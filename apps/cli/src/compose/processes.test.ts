import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { startProgram } from '../../test/start-program.js';
import { chooseProcess } from './find-process.js';
import { listProcesses, parseTable, sameProgram } from './processes.js';

test('finds a program on this machine under its whole name', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'mai processes '));
  // Longer than the 15 bytes that Linux keeps of a name.
  const name = 'mai-program-of-a-long-name';
  const program = await startProgram(folder, name);
  const listed = await listProcesses(process.platform, new AbortController().signal);
  const found = listed.find(({ processId }) => processId === program.processId);
  expect(found).toMatchObject({ parentId: process.pid });
  expect(sameProgram(found?.name ?? '', name)).toBe(true);
  await program.end();
  await rm(folder, { recursive: true, force: true });
});

test('reads the table that ps and PowerShell print', () => {
  const mac =
    '    1     0 /sbin/launchd\n  501     1 /Applications/My Game.app/Contents/MacOS/My Game\n';
  expect(parseTable(mac)).toEqual([
    { processId: 1, parentId: 0, name: 'launchd' },
    { processId: 501, parentId: 1, name: 'My Game' },
  ]);
  expect(parseTable('4 0 System\r\n812 4 Blender.exe\r\n')).toEqual([
    { processId: 4, parentId: 0, name: 'System' },
    { processId: 812, parentId: 4, name: 'Blender.exe' },
  ]);
});

test.each([
  ['blender', 'blender', true],
  ['Blender.exe', 'blender', true],
  ['blender', 'blender.exe', true],
  ['blender-thumbnailer', 'blender', false],
])('%s is %s: %s', (name, wanted, same) => {
  expect(sameProgram(name, wanted)).toBe(same);
});

describe('the process that a name means', () => {
  const one = (processId: number, parentId: number, name = 'browser') => ({
    ...{ processId, parentId, name },
  });

  test('is the first of those that started each other', () => {
    expect(chooseProcess('browser', [one(7, 5), one(5, 1), one(8, 7), one(9, 1, 'shell')])).toEqual(
      one(5, 1),
    );
  });

  test('is not guessed where there are two', () => {
    expect(() => chooseProcess('browser', [one(5, 1), one(6, 1)])).toThrow(
      '2 processes are called browser: 5, 6. Give the id of one of them.',
    );
  });
});
