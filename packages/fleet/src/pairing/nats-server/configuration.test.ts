import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

import { findNatsServer } from '../../../test/nats-server.js';
import { hostPermissions } from '../../nats/subjects.js';
import { issueAuthority, issueNatsCertificate } from '../../certificates/issue.js';
import { pemOf } from '../identity.js';
import { generateKeyPair } from '../../certificates/x509-door.js';
import { natsConfiguration, type NatsServerSettings } from './configuration.js';

const run = promisify(execFile);

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'mai-conf-'));
});

afterEach(() => rm(folder, { recursive: true, force: true }));

/** Lets nats-server check a configuration whose store has a given name. Resolves where it takes it. */
async function check(change: Partial<NatsServerSettings>): Promise<string> {
  const authority = await issueAuthority(new Date());
  const { publicKey, privateKey } = await generateKeyPair();
  const nats = await issueNatsCertificate(authority, '127.0.0.1', publicKey, new Date());
  const file = (name: string): string => path.join(folder, name);
  await writeFile(file('ca.crt'), authority.certificate);
  await writeFile(file('nats.pem'), pemOf({ publicKey, privateKey }, nats));
  const text = natsConfiguration({
    listenAddress: '127.0.0.1',
    port: 4222,
    cluster: null,
    identityPath: file('nats.pem'),
    authorityPath: file('ca.crt'),
    storeFolder: file('store'),
    logPath: file('nats.log'),
    pidPath: file('nats.pid'),
    ownSettings: null,
    users: [
      {
        host: 'desktop',
        user: 'mai://desktop/00',
        permissions: hostPermissions('desktop', { authorityOver: ['desktop', 'laptop'] }),
      },
      {
        host: 'laptop',
        user: 'mai://laptop/01',
        permissions: hostPermissions('laptop', { authorityOver: null }),
      },
    ],
    ...change,
  });
  await writeFile(file('nats.conf'), text);
  const { stdout, stderr } = await run(findNatsServer(), ['-t', '-c', file('nats.conf')]);
  return stdout + stderr;
}

test('nats-server takes the configuration', async () => {
  expect(await check({})).toContain('is valid');
});

test('nats-server takes the configuration of a server of a cluster', async () => {
  const cluster = {
    place: 2,
    port: 6222,
    routes: ['tls://10.0.0.7:6222', 'tls://10.0.0.8:6222', 'tls://10.0.0.9:6222'],
    keys: ['ab'.repeat(32)],
  };
  expect(await check({ cluster })).toContain('is valid');
});

test.each([
  'C:\\Users\\Anna\\fleet',
  'with "quotes"',
  'with \\" both',
  '$HOME',
  'with # comment } ] and {',
  "with 'single' quotes",
])('a folder named %s is a plain text to nats-server', async (name) => {
  expect(await check({ storeFolder: path.join(folder, name) })).toContain('is valid');
});

test.each(['a\n"', 'a\r', 'a\u0000', 'a\u007f'])(
  'a text with a control character is refused: %j',
  async (text) => {
    await expect(check({ storeFolder: text })).rejects.toMatchObject({ code: 'FILE_UNUSABLE' });
  },
);

test('a user name that tries to end its text and add a user stays one user', async () => {
  const user = 'x", permissions: {}} {user: "evil';
  const permissions = hostPermissions('laptop', { authorityOver: null });
  const text = natsConfiguration({
    listenAddress: '127.0.0.1',
    port: 4222,
    cluster: null,
    identityPath: '',
    authorityPath: '',
    storeFolder: '',
    logPath: '',
    pidPath: '',
    ownSettings: null,
    users: [{ host: 'laptop', user, permissions }],
  });
  expect(text.match(/user: "/g)).toHaveLength(1);
  expect(text).toContain('user: "x\\", permissions: {}} {user: \\"evil"');
});
