import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { runMai } from '../../../test/run-mai.js';

let homeFolder: string;
beforeEach(() => {
  homeFolder = mkdtempSync(path.join(tmpdir(), 'mai-keys-'));
});
afterEach(() => rmSync(homeFolder, { recursive: true }));

const file = () => path.join(homeFolder, 'keys.json');
const mai = (...argv: string[]) => runMai(['keys', ...argv, '--keys', file()], { homeFolder });

test('a new key is printed once, and only its hash is stored', async () => {
  const { exitCode, out, err } = await mai('add', 'laptop');
  expect([exitCode, out]).toEqual([0, expect.stringMatching(/^mai-[\w-]{43}\n$/)]);
  expect(err).toContain('only its hash is stored');
  expect(readFileSync(file(), 'utf8')).not.toContain(out.trim());
  expect((await mai()).out).not.toContain(out.trim());
});

test('the keys are listed with scopes and priority, as text and as JSON', async () => {
  expect((await mai()).out).toBe('There is no API key. `mai keys add NAME` makes one.\n');
  await mai('add', 'laptop');
  await mai('add', 'admin', '--scopes', 'inference,control', '--priority', '5');
  const { out } = await mai();
  expect(out).toMatch(/^ *laptop +inference +0 /m);
  expect(out).toMatch(/^ *admin +inference, control +5 /m);
  expect((await mai('--json')).json()).toMatchObject({
    file: file(),
    keys: [
      { name: 'laptop', scopes: ['inference'], priority: 0 },
      { name: 'admin', scopes: ['inference', 'control'], priority: 5 },
    ],
  });
});

test('a key is removed by its name', async () => {
  await mai('add', 'laptop');
  expect((await mai('remove', 'laptop')).out).toBe('Removed the key laptop.\n');
  expect((await mai('--json')).json()).toMatchObject({ keys: [] });
  const { exitCode, err } = await mai('remove', 'laptop');
  expect([exitCode, err]).toEqual([
    2,
    'error: There is no key "laptop". `mai keys` lists the keys.\n',
  ]);
});

test('`--dry-run` writes nothing', async () => {
  expect((await mai('add', 'laptop', '--dry-run')).out).toBe(
    'Would make the key laptop (inference).\n',
  );
  expect(existsSync(file())).toBe(false);
  await mai('add', 'laptop');
  expect((await mai('remove', 'laptop', '--dry-run')).out).toBe('Would remove the key laptop.\n');
  expect((await mai()).out).toContain('laptop');
});

test.each([
  [['add'], 'Name the key: `mai keys add NAME`.'],
  [['remove'], 'Name the key: `mai keys remove NAME`.'],
  [['add', 'a/b'], 'The key cannot be made: A name has 1 to 64 letters'],
  [['add', 'laptop', '--scopes', 'all'], 'all'],
  [['add', 'laptop', '--priority', '101'], 'The key cannot be made'],
])('`mai keys %j` is a usage error', async (argv, message) => {
  const { exitCode, out, err } = await mai(...argv);
  expect([exitCode, out]).toEqual([2, '']);
  expect(err).toContain(message);
  expect(existsSync(file())).toBe(false);
});

test('a name that is taken is a usage error', async () => {
  await mai('add', 'laptop');
  const { exitCode, err } = await mai('add', 'laptop');
  expect([exitCode, err]).toEqual([
    2,
    'error: There is a key "laptop" already. Choose another name, or remove that key first.\n',
  ]);
});
