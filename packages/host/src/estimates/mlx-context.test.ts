import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { MonitorPort } from '@mai/autopilot';
import { GIB, monitorOf, openAutopilotWorld } from '../../test/autopilot-world.js';
import { openHost } from '../open-host.js';

/** An MLX model with one layer that keeps every token. */
function writeMlxModel(folder: string): void {
  mkdirSync(folder, { recursive: true });
  const config = {
    model_type: 'gemma3_text',
    num_hidden_layers: 4,
    sliding_window_pattern: 4,
    hidden_size: 512,
    num_attention_heads: 4,
    num_key_value_heads: 1,
    head_dim: 256,
    sliding_window: 512,
    max_position_embeddings: 131_072,
  };
  writeFileSync(path.join(folder, 'config.json'), JSON.stringify(config));
  const header = Buffer.from(JSON.stringify({ 'a.weight': { data_offsets: [0, 4096] } }));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(header.length));
  const file = Buffer.concat([length, header, Buffer.alloc(4096)]);
  writeFileSync(path.join(folder, 'model.safetensors'), file);
}

/** The context that the auto-fit of this mlx-engine chooses on a Mac whose GPU may hold 3.25 GiB. */
async function fittedBy(version: string): Promise<number | null> {
  await using world = await openAutopilotWorld();
  const model = path.join(world.folder, 'model');
  writeMlxModel(model);
  const settings = path.join(world.folder, '.lmstudio', '.internal');
  mkdirSync(settings, { recursive: true });
  const name = 'mlx-llm-mac-arm64-apple-metal-advsimd';
  writeFileSync(
    path.join(settings, 'backend-preferences-v1.json'),
    JSON.stringify([{ model_format: 'safetensors', name, version }]),
  );
  const totalBytes = 3.25 * GIB;
  const real = monitorOf(world.simulator, world.machine);
  const monitor: MonitorPort = {
    ...real,
    snapshot: async (options) => ({
      ...(await real.snapshot(options)),
      unified: true,
      gpus: [
        {
          deviceKey: 'apple',
          name: 'Apple M4',
          vendor: 'apple' as const,
          memory: 'shared' as const,
          totalBytes,
          availableBytes: totalBytes,
        },
      ],
    }),
  };
  // Nothing listens on this port, so LM Studio counts as off.
  await using host = await openHost({ ...world.options, monitor, url: 'http://127.0.0.1:1' });
  return (await host.estimate({ model })).mlx?.fittedContextTokens ?? null;
}

// lmstudio-ai/mlx-engine #345, #366 and #367.
test('the context that fits an MLX model is that of the engine of LM Studio', async () => {
  const [none, oneStep, smallerSteps] = [
    await fittedBy('1.10.0'),
    await fittedBy('1.11.0'),
    await fittedBy('1.12.0'),
  ];
  expect(none).toBeNull();
  expect(oneStep).toBeGreaterThan(4096);
  expect(smallerSteps).toBeGreaterThan(2 * (oneStep ?? Infinity));
});

test('an MLX model whose weights are a link to a drive that is not mounted is not found', async () => {
  await using world = await openAutopilotWorld();
  const model = path.join(world.folder, 'model');
  writeMlxModel(model);
  const weights = path.join(model, 'model.safetensors');
  rmSync(weights);
  symlinkSync(path.join(world.folder, 'not mounted', 'model.safetensors'), weights);
  await using host = await openHost({ ...world.options, url: 'http://127.0.0.1:1' });
  await expect(host.estimate({ model })).rejects.toMatchObject({
    code: 'FILE_NOT_FOUND',
    path: weights,
  });
});
