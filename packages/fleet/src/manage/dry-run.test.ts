import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';

import { formatInvitation } from '../pairing/invitation/invitation.js';
import { initFleet } from '../pairing/init-fleet.js';
import { runFleetCommand, type FleetCommandName } from './fleet-commands.js';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'mai-dry-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const dryRun = (name: FleetCommandName, argument: string | null = null, host = 'laptop') =>
  runFleetCommand(name, {
    folder,
    signal: new AbortController().signal,
    dryRun: true,
    argument,
    host,
    address: '10.0.0.7',
    natsPort: null,
    joinPort: null,
    routePort: null,
    cluster: null,
    server: null,
    endFleet: false,
    show: () => undefined,
  });

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
  for (const name of ['remove', 'leave', 'rotate'] as const)
    await expect(dryRun(name, 'x')).rejects.toMatchObject({ code: 'NOT_PAIRED' });
  expect(await readdir(folder)).toEqual([]);
});

test('on the machine that made a fleet, a dry run tells what cannot be done', async () => {
  await initFleet({ folder, host: 'desktop', address: '127.0.0.1', start: false });
  await expect(dryRun('init')).rejects.toMatchObject({ code: 'FILE_UNUSABLE' });
  await expect(dryRun('join', INVITATION)).rejects.toMatchObject({ code: 'FILE_UNUSABLE' });
  await expect(dryRun('remove', 'nobody')).rejects.toThrow('The fleet has no host nobody.');
  await expect(dryRun('remove', 'desktop')).rejects.toMatchObject({ code: 'INVALID_REQUEST' });
  await expect(dryRun('rotate')).resolves.toMatchObject({ json: { dryRun: true } });
  await expect(dryRun('leave')).resolves.toMatchObject({ json: { dryRun: true } });
});
