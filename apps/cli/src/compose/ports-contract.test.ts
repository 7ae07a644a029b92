import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { startSimulator } from '@mai/lmstudio-simulator';
// What the autopilot relies on is stated once, beside its fakes, and is no part of what it publishes.
// eslint-disable-next-line @nx/enforce-module-boundaries
import { describePortsContract } from '../../../../packages/autopilot/test/ports-contract.js';
import { createFakeIo } from '../../test/fake-io.js';
import { createOutput } from '../terminal/output.js';
import { openAutopilotPorts } from './autopilot-session.js';

describePortsContract('`mai watch`', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'mai ports '));
  const simulator = await startSimulator({
    speed: 50,
    world: {
      machine: { gpus: [] },
      models: [{ modelKey: 'test/small', sizeBytes: 200_000_000, maxContextLength: 16_384 }],
      guardrails: { mode: 'off' },
    },
  });
  const io = createFakeIo({ homeFolder: folder, cwd: folder });
  const world = await openAutopilotPorts(
    {
      io,
      output: createOutput(io, { json: false, quiet: false, noColour: true }),
      globals: {
        ...{ url: simulator.httpUrl, apiTokenFile: null, configFile: null, timeoutMs: null },
        ...{ json: false, quiet: false, verbose: false },
      },
      signal: io.signal,
    },
    () => undefined,
  );
  return {
    ports: world.ports,
    modelKey: 'test/small',
    close: async () => {
      await world[Symbol.asyncDispose]();
      await simulator.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
});
