import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { SAMPLES, type ClientSample } from '../../test/client-samples.js';
import { temporaryHome } from '../../test/temporary-home.js';
import {
  CLIENTS,
  describeConnection,
  describeUndo,
  findClient,
  gatewayAccess,
  type Machine,
  planConnection,
  planUndo,
  statusOf,
  writeConnection,
  writeUndo,
} from '../index.js';

const fileIn = (home: Machine, { file }: ClientSample) => path.join(home.homeFolder, file);

function put(file: string, text: string): void {
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, text);
}

const modeOf = (file: string) => statSync(file).mode & 0o777;

/** Makes the writing of a file fail, for root, too: a folder is in the place of its draft. */
function blockDraft(file: string): string {
  const draft = `${file}.${process.pid}.tmp`;
  mkdirSync(draft);
  return draft;
}

async function connect(name: string, home: Machine, options = {}) {
  const plan = await planConnection(findClient(name), await gatewayAccess(options), home);
  await writeConnection(plan);
  return plan;
}

async function undo(name: string, home: Machine) {
  const plan = await planUndo(findClient(name), home);
  await writeUndo(plan);
  return plan;
}

test('there is a sample of every client with a settings file', () => {
  const names = CLIENTS.filter(({ file }) => file !== null).map(({ name }) => name);
  expect(SAMPLES.map(({ client }) => client).sort()).toEqual([...names].sort());
});

describe.each(SAMPLES)('$client', (sample) => {
  const { client, before, after } = sample;

  test('an absent file is created with the settings, and undo removes it', async () => {
    using home = temporaryHome();
    const file = fileIn(home, sample);
    const plan = await connect(client, home);
    expect(plan).toMatchObject({ file, before: null, backup: null });
    const status = await statusOf(findClient(client), await gatewayAccess(), home);
    expect(status).toMatchObject({ file, found: true, state: 'connected' });
    // The file may hold an API key.
    expect(statSync(file).mode & 0o777).toBe(0o600);

    expect(await undo(client, home)).toMatchObject({ changedSince: false, after: null });
    expect(existsSync(file)).toBe(false);
    expect(existsSync(`${file}.mai-backup.json`)).toBe(false);
  });

  test('an existing file keeps its comments and other settings', async () => {
    using home = temporaryHome();
    const file = fileIn(home, sample);
    put(file, before);
    await connect(client, home);
    expect(readFileSync(file, 'utf8')).toBe(after);
    expect(readFileSync(`${file}.mai-backup`, 'utf8')).toBe(before);
  });

  test('a second write changes nothing, and undo still restores the first file', async () => {
    using home = temporaryHome();
    const file = fileIn(home, sample);
    put(file, before);
    await connect(client, home);
    const second = await connect(client, home);
    expect(second.after).toBe(second.before);
    expect(readFileSync(file, 'utf8')).toBe(after);

    await undo(client, home);
    expect(readFileSync(file, 'utf8')).toBe(before);
    expect(existsSync(`${file}.mai-backup`)).toBe(false);
    expect(existsSync(`${file}.mai-backup.json`)).toBe(false);
  });

  test('a second write with another address replaces the first, and undo restores the first file', async () => {
    using home = temporaryHome();
    const file = fileIn(home, sample);
    put(file, before);
    await connect(client, home);
    await connect(client, home, { url: 'http://10.0.0.5:8080' });
    expect(readFileSync(file, 'utf8')).toBe(
      after.replaceAll('http://127.0.0.1:11435', 'http://10.0.0.5:8080'),
    );
    await undo(client, home);
    expect(readFileSync(file, 'utf8')).toBe(before);
  });

  test('undo after a change by somebody else keeps the change and removes only our settings', async () => {
    using home = temporaryHome();
    const file = fileIn(home, sample);
    put(file, before);
    await connect(client, home);
    expect(after).toContain(sample.foreign[0]);
    writeFileSync(file, after.replace(...sample.foreign));
    expect(await undo(client, home)).toMatchObject({ changedSince: true, left: [] });
    expect(readFileSync(file, 'utf8')).toBe(sample.undone);
  });

  test('a change by somebody else between two writes survives undo', async () => {
    using home = temporaryHome();
    const file = fileIn(home, sample);
    put(file, before);
    await connect(client, home);
    writeFileSync(file, after.replace(...sample.foreign));
    await connect(client, home, { url: 'http://10.0.0.5:8080' });
    expect(await undo(client, home)).toMatchObject({ changedSince: true, left: [] });
    expect(readFileSync(file, 'utf8')).toBe(sample.undone);
  });

  test('a file with Windows line ends keeps them', async () => {
    using home = temporaryHome();
    const file = fileIn(home, sample);
    put(file, before.replaceAll('\n', '\r\n'));
    await connect(client, home);
    expect(readFileSync(file, 'utf8')).toBe(after.replaceAll('\n', '\r\n'));
    writeFileSync(file, after.replace(...sample.foreign).replaceAll('\n', '\r\n'));
    await undo(client, home);
    expect(readFileSync(file, 'utf8')).toBe(sample.undone.replaceAll('\n', '\r\n'));
  });

  test('a file without a line end at its end is merged', async () => {
    using home = temporaryHome();
    const file = fileIn(home, sample);
    put(file, before.trimEnd());
    await connect(client, home);
    expect(readFileSync(file, 'utf8').trimEnd()).toBe(after.trimEnd());
    await undo(client, home);
    expect(readFileSync(file, 'utf8')).toBe(before.trimEnd());
  });

  test('a file with a syntax error is refused and stays as it is', async () => {
    using home = temporaryHome();
    const file = fileIn(home, sample);
    const broken = `${before}\n{[ "`;
    put(file, broken);
    await expect(connect(client, home)).rejects.toMatchObject({ code: 'FILE_INVALID' });
    expect(readFileSync(file, 'utf8')).toBe(broken);
    const status = await statusOf(findClient(client), await gatewayAccess(), home);
    expect(status.state).toBe('unreadable');
  });

  test('a file in another encoding than UTF-8 is refused and keeps its bytes', async () => {
    using home = temporaryHome();
    const file = fileIn(home, sample);
    const bytes = Buffer.from('# caf\xe9\n', 'latin1');
    mkdirSync(path.dirname(file), { recursive: true });
    writeFileSync(file, bytes);
    await expect(connect(client, home)).rejects.toMatchObject({
      code: 'FILE_INVALID',
      message: expect.stringContaining('Save it as UTF-8'),
    });
    expect(readFileSync(file)).toEqual(bytes);
    expect(existsSync(`${file}.mai-backup`)).toBe(false);
    const status = await statusOf(findClient(client), await gatewayAccess(), home);
    expect(status.state).toBe('unreadable');
  });

  test('a read-only file is refused before anything is written, also by undo', async () => {
    using home = temporaryHome();
    const file = fileIn(home, sample);
    put(file, before);
    chmodSync(file, 0o444);
    await expect(connect(client, home)).rejects.toMatchObject({
      code: 'FILE_UNUSABLE',
      message: expect.stringContaining(`${file} is read-only.`),
    });
    expect(readFileSync(file, 'utf8')).toBe(before);
    expect(readdirSync(path.dirname(file))).toEqual([path.basename(file)]);
    chmodSync(file, 0o644);
    await connect(client, home);
    chmodSync(file, 0o444);
    await expect(undo(client, home)).rejects.toMatchObject({ code: 'FILE_UNUSABLE' });
    expect(readFileSync(file, 'utf8')).toBe(after);
  });

  test('a symbolic link stays a link, and the copies are beside the link', async () => {
    using home = temporaryHome();
    const link = fileIn(home, sample);
    const target = path.join(home.homeFolder, 'dotfiles', 'settings');
    put(target, before);
    mkdirSync(path.dirname(link), { recursive: true });
    symlinkSync(target, link);
    await connect(client, home);
    expect(readFileSync(target, 'utf8')).toBe(after);
    await undo(client, home);
    expect(lstatSync(link).isSymbolicLink()).toBe(true);
    expect(readFileSync(target, 'utf8')).toBe(before);
    expect(readdirSync(path.dirname(target))).toEqual(['settings']);
  });

  test('a symbolic link to a file that does not exist yet stays a link', async () => {
    using home = temporaryHome();
    const link = fileIn(home, sample);
    const target = path.join(home.homeFolder, 'dotfiles', 'settings');
    mkdirSync(path.dirname(link), { recursive: true });
    symlinkSync(path.relative(path.dirname(link), target), link);
    await connect(client, home);
    expect(lstatSync(link).isSymbolicLink()).toBe(true);
    expect(existsSync(target)).toBe(true);
    await undo(client, home);
    expect(lstatSync(link).isSymbolicLink()).toBe(true);
    expect(existsSync(target)).toBe(false);
  });

  test('undo without a write changes nothing', async () => {
    using home = temporaryHome();
    const file = fileIn(home, sample);
    put(file, after);
    expect(await undo(client, home)).toMatchObject({ connected: false });
    expect(readFileSync(file, 'utf8')).toBe(after);
  });
});

test('a setting of ours that somebody else changed stays, and undo names it', async () => {
  using home = temporaryHome();
  const file = path.join(home.homeFolder, '.claude/settings.json');
  put(file, '{}\n');
  await connect('claude-code', home);
  writeFileSync(
    file,
    readFileSync(file, 'utf8').replace('"ANTHROPIC_MODEL": "auto"', '"ANTHROPIC_MODEL": "x"'),
  );
  expect(await undo('claude-code', home)).toMatchObject({ left: ['env.ANTHROPIC_MODEL'] });
  expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual({ env: { ANTHROPIC_MODEL: 'x' } });
});

test('undo after the file was deleted removes the copy and the record', async () => {
  using home = temporaryHome();
  const file = path.join(home.homeFolder, '.aider.conf.yml');
  put(file, 'dark-mode: true\n');
  await connect('aider', home);
  rmSync(file);
  const plan = await undo('aider', home);
  expect(describeUndo(plan, await gatewayAccess(), true)).toBe(`${file} is gone already.\n`);
  expect([file, `${file}.mai-backup`, `${file}.mai-backup.json`].some(existsSync)).toBe(false);
});

/** A settings file of aider. The mode is that of most such files by default. */
function aiderFile(home: Machine, mode = 0o644): string {
  const file = path.join(home.homeFolder, '.aider.conf.yml');
  put(file, 'dark-mode: true\n');
  chmodSync(file, mode);
  return file;
}

test('the permissions of an existing file stay where the file gets no API key', async () => {
  using home = temporaryHome();
  const file = aiderFile(home);
  await connect('aider', home);
  expect(modeOf(file)).toBe(0o644);
});

describe('an API key', () => {
  const keyIn = (home: Machine) => {
    const keyFile = path.join(home.homeFolder, 'key');
    put(keyFile, 'mai-secret\n');
    return { keyFile };
  };

  test.each(SAMPLES.filter(({ client }) => !['codex', 'zed'].includes(client)))(
    'is readable by the owner only in each file of $client, and undo restores the permissions',
    async (sample) => {
      using home = temporaryHome();
      const file = fileIn(home, sample);
      put(file, sample.before);
      chmodSync(file, 0o644);
      const plan = await connect(sample.client, home, keyIn(home));
      expect(plan.restricts).toBe(true);
      expect(readFileSync(file, 'utf8')).toContain('mai-secret');
      const files = [file, `${file}.mai-backup`, `${file}.mai-backup.json`];
      expect(files.map(modeOf)).toEqual([0o600, 0o600, 0o600]);
      await undo(sample.client, home);
      expect(readFileSync(file, 'utf8')).toBe(sample.before);
      expect(modeOf(file)).toBe(0o644);
    },
  );

  test.each([
    [0o666, 0o600],
    [0o755, 0o600],
    [0o640, 0o600],
    [0o601, 0o600],
    [0o600, 0o600],
    [0o200, 0o200],
  ])('in a file of the mode %o changes the mode to %o', async (before, after) => {
    using home = temporaryHome();
    const file = aiderFile(home, before);
    await connect('aider', home, keyIn(home));
    expect(modeOf(file)).toBe(after);
    await undo('aider', home);
    expect(modeOf(file)).toBe(before);
  });

  test('that Codex reads from the environment does not change the mode of the file', async () => {
    using home = temporaryHome();
    const file = path.join(home.homeFolder, '.codex/config.toml');
    put(file, '');
    chmodSync(file, 0o644);
    expect((await connect('codex', home, keyIn(home))).restricts).toBe(false);
    expect(modeOf(file)).toBe(0o644);
  });

  test('of a second connection makes the file private, and undo restores the first permissions', async () => {
    using home = temporaryHome();
    const file = aiderFile(home);
    await connect('aider', home);
    await connect('aider', home, keyIn(home));
    expect(modeOf(file)).toBe(0o600);
    await connect('aider', home, { ...keyIn(home), model: 'auto:coding' });
    await undo('aider', home);
    expect(modeOf(file)).toBe(0o644);
  });

  // Only root can give a file away.
  (process.getuid?.() === 0 ? test : test.skip)(
    'that root writes leaves the files to their owner',
    async () => {
      using home = temporaryHome();
      const file = path.join(home.homeFolder, '.aider.conf.yml');
      put(file, 'dark-mode: true\n');
      chownSync(home.homeFolder, 1234, 1235);
      chownSync(file, 1234, 1235);
      await connect('aider', home, keyIn(home));
      for (const one of [file, `${file}.mai-backup`, `${file}.mai-backup.json`]) {
        const { uid, gid } = statSync(one);
        expect([uid, gid]).toEqual([1234, 1235]);
      }
    },
  );

  test('that changes only the permissions of a connected file is taken back, too', async () => {
    using home = temporaryHome();
    const file = path.join(home.homeFolder, '.aider.conf.yml');
    put(file, 'dark-mode: true\n');
    await connect('aider', home, keyIn(home));
    // As an older version left it: with the key, readable by all, and a record without permissions.
    const recordFile = `${file}.mai-backup.json`;
    const record = JSON.parse(readFileSync(recordFile, 'utf8')) as object;
    writeFileSync(recordFile, JSON.stringify({ ...record, modeBefore: null }));
    chmodSync(file, 0o644);
    await connect('aider', home, keyIn(home));
    expect(modeOf(file)).toBe(0o600);
    await undo('aider', home);
    expect(modeOf(file)).toBe(0o644);
  });

  test('in a file that is connected already makes the file private', async () => {
    using home = temporaryHome();
    const file = path.join(home.homeFolder, '.aider.conf.yml');
    await connect('aider', home, keyIn(home));
    chmodSync(file, 0o644);
    const plan = await connect('aider', home, keyIn(home));
    expect(plan.after).toBe(plan.before);
    expect(modeOf(file)).toBe(0o600);
  });

  test('does not change permissions that somebody has set since, also after undo', async () => {
    using home = temporaryHome();
    const file = aiderFile(home);
    await connect('aider', home, keyIn(home));
    chmodSync(file, 0o660);
    await undo('aider', home);
    expect(modeOf(file)).toBe(0o660);
  });

  test('that somebody else has replaced in the file leaves the file private after undo', async () => {
    using home = temporaryHome();
    const file = aiderFile(home);
    await connect('aider', home, keyIn(home));
    writeFileSync(file, readFileSync(file, 'utf8').replace('mai-secret', 'other-secret'));
    expect(await undo('aider', home)).toMatchObject({ left: ['openai-api-key'] });
    expect(modeOf(file)).toBe(0o600);
  });

  test('makes a file private, which the texts before and after the write say', async () => {
    using home = temporaryHome();
    aiderFile(home);
    const access = await gatewayAccess(keyIn(home));
    const plan = await planConnection(findClient('aider'), access, home);
    expect(describeConnection(plan, access, false)).toContain(
      'Only the owner of the file will be able to read it, because it contains an API key.\n',
    );
    expect(describeConnection(plan, access, true)).toContain(
      'Only the owner of the file can read it now, because it contains an API key.\n',
    );
  });

  test('written by an older version, whose record has no permissions, can be taken back', async () => {
    using home = temporaryHome();
    const file = path.join(home.homeFolder, '.aider.conf.yml');
    put(file, 'dark-mode: true\n');
    await connect('aider', home, keyIn(home));
    const record = JSON.parse(readFileSync(`${file}.mai-backup.json`, 'utf8'));
    delete record.modeBefore;
    put(`${file}.mai-backup.json`, JSON.stringify(record));
    expect(await undo('aider', home)).toMatchObject({ changedSince: false });
    expect(readFileSync(file, 'utf8')).toBe('dark-mode: true\n');
  });
});

test('a write that fails leaves neither a copy nor a record nor a draft', async () => {
  using home = temporaryHome();
  const file = path.join(home.homeFolder, '.aider.conf.yml');
  put(file, 'dark-mode: true\n');
  const plan = await planConnection(findClient('aider'), await gatewayAccess(), home);
  const draft = blockDraft(file);
  await expect(writeConnection(plan)).rejects.toMatchObject({ code: 'FILE_UNUSABLE' });
  expect(readdirSync(home.homeFolder)).toEqual(['.aider.conf.yml', path.basename(draft)]);
});

test('after a second write that fails, undo still restores the first file', async () => {
  using home = temporaryHome();
  const file = path.join(home.homeFolder, '.aider.conf.yml');
  put(file, 'dark-mode: true\n');
  await connect('aider', home);
  const draft = blockDraft(file);
  const again = connect('aider', home, { url: 'http://127.0.0.1:9' });
  await expect(again).rejects.toMatchObject({ code: 'FILE_UNUSABLE' });
  rmSync(draft, { recursive: true });
  expect(await undo('aider', home)).toMatchObject({ changedSince: false, left: [] });
  expect(readFileSync(file, 'utf8')).toBe('dark-mode: true\n');
});

test('a change by somebody else between the plan and the write is kept, and nothing is written', async () => {
  using home = temporaryHome();
  const file = path.join(home.homeFolder, '.aider.conf.yml');
  put(file, 'dark-mode: true\n');
  const plan = await planConnection(findClient('aider'), await gatewayAccess(), home);
  put(file, 'dark-mode: false\n');
  await expect(writeConnection(plan)).rejects.toMatchObject({ code: 'FILE_CHANGED' });
  expect(readFileSync(file, 'utf8')).toBe('dark-mode: false\n');
  expect(readdirSync(home.homeFolder)).toEqual(['.aider.conf.yml']);

  await connect('aider', home);
  const undoPlan = await planUndo(findClient('aider'), home);
  const changed = `${readFileSync(file, 'utf8')}# mine\n`;
  put(file, changed);
  await expect(writeUndo(undoPlan)).rejects.toMatchObject({ code: 'FILE_CHANGED' });
  expect(readFileSync(file, 'utf8')).toBe(changed);
});

test('the draft of a killed process is removed, and a file of somebody else stays', async () => {
  using home = temporaryHome();
  const [sample] = SAMPLES;
  if (sample === undefined) throw new Error('There is no sample.');
  const file = fileIn(home, sample);
  const longAgo = new Date(Date.now() - 2 * 3_600_000);
  for (const name of ['123.tmp', 'mine.tmp']) {
    put(`${file}.${name}`, '');
    utimesSync(`${file}.${name}`, longAgo, longAgo);
  }
  await connect(sample.client, home);
  expect(readdirSync(path.dirname(file)).filter((name) => name.endsWith('.tmp'))).toEqual([
    `${path.basename(file)}.mine.tmp`,
  ]);
});

test('a copy without a record is not overwritten', async () => {
  using home = temporaryHome();
  const file = path.join(home.homeFolder, '.aider.conf.yml');
  put(file, 'dark-mode: true\n');
  put(`${file}.mai-backup`, 'precious');
  await expect(connect('aider', home)).rejects.toMatchObject({ code: 'FILE_UNUSABLE' });
  expect(readFileSync(`${file}.mai-backup`, 'utf8')).toBe('precious');
  expect(readFileSync(file, 'utf8')).toBe('dark-mode: true\n');
});

test('Continue is refused while its settings are in config.json, which config.yaml would hide', async () => {
  using home = temporaryHome();
  put(path.join(home.homeFolder, '.continue/config.json'), '{}');
  await expect(connect('continue', home)).rejects.toMatchObject({ code: 'HIDES_SETTINGS' });
});

test('opencode.jsonc is used where it exists', async () => {
  using home = temporaryHome();
  const file = path.join(home.homeFolder, '.config/opencode/opencode.jsonc');
  put(file, '{ /* mine */ }\n');
  expect((await connect('opencode', home)).file).toBe(file);
  expect(readFileSync(file, 'utf8')).toContain('/* mine */');
});

test.each(['cline', 'cursor', 'open-webui'])('%s has no settings file to write', async (name) => {
  using home = temporaryHome();
  await expect(connect(name, home)).rejects.toMatchObject({ code: 'NO_SETTINGS_FILE' });
});

test('Codex reads the API key from the environment, so the key is not in the file', async () => {
  using home = temporaryHome();
  const keyFile = path.join(home.homeFolder, 'key');
  put(keyFile, 'mai-secret\n');
  const { after, client } = await connect('codex', home, { keyFile });
  expect(after).toContain('env_key = "MAI_API_KEY"');
  expect(after).not.toContain('mai-secret');
  expect(client.environment(await gatewayAccess({ keyFile }))).toEqual({
    MAI_API_KEY: 'mai-secret',
  });
});
