import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { startSimulator } from '@mai/lmstudio-simulator';
// The autopilot package does not export its test contract.
// eslint-disable-next-line @nx/enforce-module-boundaries
import { describePortsContract } from '../../../autopilot/test/ports-contract.js';
import { contextOf } from '../host-options.js';
import { createHostParts } from '../create-host-parts.js';
import { joinAutopilotPorts } from './join-ports.js';

describePortsContract('the autopilot with the ports of a host', async () => {
  const folder = await mkdtemp(path.join(tmpdir(), 'mai ports '));
  const simulator = await startSimulator({
    speed: 50,
    world: {
      machine: { gpus: [] },
      models: [{ modelKey: 'test/small', sizeBytes: 200_000_000, maxContextLength: 16_384 }],
      guardrails: { mode: 'off' },
    },
  });
  const options = { url: simulator.httpUrl, userHome: folder, cwd: folder, env: {} };
  const parts = createHostParts(contextOf(options, new AbortController().signal));
  const { ports } = await joinAutopilotPorts(parts, () => undefined);
  return {
    ports,
    modelKey: 'test/small',
    close: async () => {
      await parts[Symbol.asyncDispose]();
      await simulator.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
});
