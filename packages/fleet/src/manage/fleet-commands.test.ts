import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { formatInvitation } from '../pairing/invitation/invitation.js';
import { readRegistry } from '../pairing/hosts/registry.js';
import { initFleet } from '../pairing/init-fleet.js';
import { fleetPaths, type FleetPaths } from '../pairing/files/fleet-folder.js';
import {
  runFleetCommand,
  type FleetCommandName,
  type FleetCommandOptions,
} from './fleet-commands.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'mai-dry-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const command = (name: FleetCommandName, changes: Partial<FleetCommandOptions>) =>
  runFleetCommand(name, {
    folder,
    signal: new AbortController().signal,
    dryRun: false,
    argument: null,
    host: null,
    address: null,
    natsPort: null,
    joinPort: null,
    routePort: null,
    cluster: null,
    server: null,
    endFleet: false,
    show: () => undefined,
    ...changes,
  });
const dryRun = (name: FleetCommandName, argument: string | null = null, host = 'laptop') =>
  command(name, { dryRun: true, argument, host, address: '10.0.0.7' });
const leave = (endFleet: boolean) => command('leave', { endFleet });

const INVITATION = formatInvitation({
  secret: Buffer.alloc(16, 1),
  authorityFingerprint: '02'.repeat(32),
  address: '10.0.0.7',
  port: 8898,
});

test('on a machine without a fleet, a dry run tells what cannot be done, and changes nothing', async () => {
  await expect(dryRun('init')).resolves.toMatchObject({ json: { host: 'laptop' } });
  await expect(dryRun('init', null, 'Bad Name')).rejects.toMatchObject({ code: 'INVALID_REQUEST' });
  await expect(dryRun('join', INVITATION)).resolves.toMatchObject({ json: { host: 'laptop' } });
  await expect(dryRun('join', 'mai1-x')).rejects.toMatchObject({ code: 'INVITATION_REFUSED' });
  for (const name of ['remove', 'leave', 'rotate', 'address'] as const)
    await expect(dryRun(name, 'x')).rejects.toMatchObject({ code: 'NOT_PAIRED' });
  expect(await readdir(folder)).toEqual([]);
});

test('on the machine that made a fleet, a dry run tells what cannot be done', async () => {
  await initFleet({ folder, host: 'desktop', address: '127.0.0.1', start: false });
  await expect(dryRun('init')).rejects.toMatchObject({ code: 'FILE_UNUSABLE' });
  await expect(dryRun('join', INVITATION)).rejects.toMatchObject({ code: 'FILE_UNUSABLE' });
  await expect(dryRun('remove', 'nobody')).rejects.toThrow('The fleet has no host nobody.');
  await expect(dryRun('remove', 'desktop')).rejects.toMatchObject({ code: 'INVALID_REQUEST' });
  await expect(command('invite', { host: 'desktop' })).rejects.toMatchObject({
    code: 'INVALID_REQUEST',
    message: expect.stringContaining('The fleet has a host desktop already.'),
  });
  await expect(dryRun('rotate')).resolves.toMatchObject({ json: { dryRun: true } });
  await expect(dryRun('address', '10.0.0.300')).rejects.toMatchObject({ code: 'INVALID_REQUEST' });
  await expect(dryRun('address', '10.0.0.9')).resolves.toMatchObject({ json: { dryRun: true } });
  expect((await readRegistry(folder)).address).toBe('127.0.0.1');
  await expect(dryRun('leave')).resolves.toMatchObject({ json: { dryRun: true } });
});

test.each([
  ['a missing file', (paths: FleetPaths) => rm(paths.hostIdentity)],
  ['a file without a key', (paths: FleetPaths) => writeFile(paths.hostIdentity, 'nothing')],
  ['a list that nobody has signed', (paths: FleetPaths) => writeFile(paths.allowList, '{}')],
  ['a damaged membership', (paths: FleetPaths) => writeFile(paths.membership, '{')],
])('a machine with %s leaves the fleet, as the message says', async (_, damage) => {
  await initFleet({ folder, host: 'laptop', address: '127.0.0.1', start: false });
  const paths = fleetPaths(folder);
  await rm(paths.authorityKey);
  await damage(paths);
  await expect(dryRun('rotate')).rejects.toMatchObject({
    code: 'FILE_UNUSABLE',
    message: expect.stringContaining('`mai fleet leave`'),
  });
  expect((await dryRun('leave')).text).toBe('Would leave the fleet.');
  expect((await leave(false)).json).toMatchObject({ kind: 'left', told: false });
  await expect(dryRun('rotate')).rejects.toMatchObject({ code: 'NOT_PAIRED' });
});

test('the machine that made a fleet ends it only when asked, also with damaged files', async () => {
  await initFleet({ folder, host: 'desktop', address: '127.0.0.1', start: false });
  await rm(fleetPaths(folder).hostIdentity);
  await expect(leave(false)).rejects.toThrow('Give --end-fleet to end it for all.');
  expect((await leave(true)).text).toBe('The fleet has ended, and its keys are deleted.');
});

test('a folder that cannot be made is told with the next step', async () => {
  const file = path.join(folder, 'file');
  await writeFile(file, '');
  await expect(
    command('init', { folder: path.join(file, 'fleet'), host: 'desktop', address: '127.0.0.1' }),
  ).rejects.toThrow(/cannot be (?:read|written): .*ENOTDIR.* Check/);
});
