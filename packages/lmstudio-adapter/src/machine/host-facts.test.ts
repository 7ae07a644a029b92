import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { hostFacts, type HostProbe } from './host-facts.js';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'mai root '));
});
afterEach(() => rm(root, { recursive: true }));

const put = async (file: string, content: string): Promise<void> => {
  await mkdir(path.dirname(path.join(root, file)), { recursive: true });
  await writeFile(path.join(root, file), content);
};
const TABLE = '  sl  local_address rem_address   st\n';
const listening = (port: string): string => `${TABLE}   0: 0100007F:${port} 00000000:0000 0A 00\n`;
const probe = (part: HostProbe = {}): HostProbe => ({
  root,
  platform: 'linux',
  env: {},
  ownAddresses: ['192.168.1.5'],
  resolveHost: (host) => Promise.resolve(host === 'me.local' ? ['192.168.1.5'] : ['10.0.0.9']),
  ...part,
});

test.each(['127.0.0.1:1234', 'localhost:1234', '[::1]:1234', '192.168.1.5:1234', 'me.local:1234'])(
  '%s is on this machine',
  async (baseUrl) => {
    expect(await hostFacts(baseUrl, probe())).toMatchObject({
      isLocal: true,
      reason: 'same-machine',
    });
  },
);

test.each(['10.0.0.9:1234', 'gpu-box:1234'])('%s is on another machine', async (baseUrl) => {
  expect(await hostFacts(baseUrl, probe())).toMatchObject({
    isLocal: false,
    reason: 'other-host',
  });
});

test('a name that does not resolve is on another machine', async () => {
  const resolveHost = (): Promise<readonly string[]> => Promise.reject(new Error('ENOTFOUND'));
  expect((await hostFacts('gone:1234', probe({ resolveHost }))).isLocal).toBe(false);
});

test('in WSL2, a loopback port without a listener belongs to LM Studio on Windows', async () => {
  await put('proc/sys/kernel/osrelease', '5.15.167.4-microsoft-standard-WSL2\n');
  await put('proc/net/tcp', TABLE);
  expect(await hostFacts('127.0.0.1:1234', probe())).toEqual({
    isLocal: false,
    reason: 'wsl-host',
    insideWsl: true,
    insideContainer: false,
  });
  await put('proc/net/tcp', listening('04D2'));
  expect(await hostFacts('127.0.0.1:1234', probe())).toMatchObject({ isLocal: true });
  expect(await hostFacts('127.0.0.1:1235', probe())).toMatchObject({ isLocal: false });
});

test('in a container, the host’s name and a loopback port without a listener belong to the host', async () => {
  await put('.dockerenv', '');
  await put('proc/net/tcp', TABLE);
  expect(await hostFacts('host.docker.internal:1234', probe())).toMatchObject({
    isLocal: false,
    reason: 'container-host',
    insideContainer: true,
  });
  expect(await hostFacts('127.0.0.1:1234', probe())).toMatchObject({ reason: 'container-host' });
  await put('proc/net/tcp6', listening('04D2'));
  expect(await hostFacts('127.0.0.1:1234', probe())).toMatchObject({ isLocal: true });
});

test('loopback counts as local where the socket table cannot be read', async () => {
  await put('run/.containerenv', '');
  expect(await hostFacts('127.0.0.1:1234', probe())).toMatchObject({
    isLocal: true,
    insideContainer: true,
  });
});

test('checks for WSL and containers on Linux only', async () => {
  await put('.dockerenv', '');
  expect(await hostFacts('127.0.0.1:1234', probe({ platform: 'win32' }))).toMatchObject({
    insideWsl: false,
    insideContainer: false,
  });
});
