// The ways to keep a model loaded. Each serves through the same gateway, and gives its `url` and `close()`.
import { createGateway } from '@mai/gateway';
import { openHost } from '@mai/host';
import { createLlamaRuntime } from '@mai/llama-runtime';
import { DEFAULT_LOAD_CONFIG } from '@mai/memory-ledger';
import path from 'node:path';
import { MODELS } from './models.mjs';
import { serveRuntime } from './serve-runtime.mjs';

/** Mai's own policy, with times that suit a trace of a minute. */
const SWITCHING = { dwell: '2s', cool_down: '4s', min_headroom: '96MiB' };
const NAIVE_PERCENT = 80;
const NAIVE_PERIOD_MS = 1000;

export const POLICIES = { mai: openMai, static: openStatic, naive: openNaive };

async function openMai({ folder, workFolder }) {
  const host = await openHost({
    runtime: 'embedded',
    modelFolders: [folder],
    userHome: workFolder,
    dataFolder: path.join(workFolder, 'data'),
    configFolder: path.join(workFolder, 'config'),
    cacheFolder: path.join(workFolder, 'cache'),
    env: {},
    config: {
      version: 1,
      models: MODELS.map(({ name, contextLengthTokens }) => ({
        key: name,
        context_window: contextLengthTokens,
        load: { parallel: 1 },
      })),
      fallback_chains: { default: MODELS.map(({ name }) => name) },
      switching: SWITCHING,
    },
  });
  const autopilot = await host.startAutopilot();
  const gateway = await createGateway({ serving: host.serving });
  const { url } = await gateway.listen({ port: 0 });
  return {
    url,
    close: async () => {
      await gateway[Symbol.asyncDispose]();
      await autopilot.stop();
      await host[Symbol.asyncDispose]();
    },
  };
}

/** The largest model that fits at the start, for ever. It is loaded again where its engine was killed, as Mai does. */
async function openStatic({ folder, workFolder, heldBytes, limitBytes }) {
  const runtime = await openRuntime(folder, workFolder);
  const index = await loadLargest(runtime, heldBytes, limitBytes);
  const gateway = await serveRuntime(runtime);
  runtime.onEnded(() => {
    load(runtime, index).then(gateway.changed, () => undefined);
  });
  return { url: gateway.url, close: () => closeAll(gateway, runtime) };
}

/**
 * A rule of thumb: above 80 % of memory it loads the next smaller model, below 80 % the next larger one if memory with its file
 * stays below 80 %. A model whose load failed, or whose engine was killed, is loaded again.
 */
async function openNaive({ folder, workFolder, heldBytes, limitBytes }) {
  const runtime = await openRuntime(folder, workFolder);
  let current = await loadLargest(runtime, heldBytes, limitBytes);
  const gateway = await serveRuntime(runtime);
  let changing = false;
  const wanted = () => {
    const used = heldBytes();
    const bound = (NAIVE_PERCENT / 100) * limitBytes;
    if (used > bound) return Math.min(MODELS.length - 1, current + 1);
    const fits = current > 0 && used + MODELS[current - 1].mebibytes * 1024 ** 2 < bound;
    return fits ? current - 1 : current;
  };
  const step = async () => {
    const next = wanted();
    const residents = await runtime.listResidents();
    if (next === current && residents.length > 0) return;
    for (const { instanceIdentifier } of residents) await runtime.unload(instanceIdentifier);
    current = next;
    await load(runtime, current);
  };
  const timer = setInterval(() => {
    if (changing) return;
    changing = true;
    step()
      // A failed load is tried again in the next period.
      .catch(() => undefined)
      .finally(() => {
        changing = false;
        gateway.changed();
      });
  }, NAIVE_PERIOD_MS);
  return {
    url: gateway.url,
    close: () => {
      clearInterval(timer);
      return closeAll(gateway, runtime);
    },
  };
}

async function closeAll(gateway, runtime) {
  await gateway.close();
  await runtime.close();
}

function openRuntime(folder, workFolder) {
  return createLlamaRuntime({
    modelFolders: [folder],
    stateFolder: path.join(workFolder, 'engines'),
  });
}

async function loadLargest(runtime, heldBytes, limitBytes) {
  const fits = MODELS.findIndex(
    ({ mebibytes }) => heldBytes() + mebibytes * 1024 ** 2 < (NAIVE_PERCENT / 100) * limitBytes,
  );
  const index = fits === -1 ? MODELS.length - 1 : fits;
  await load(runtime, index);
  return index;
}

function load(runtime, index) {
  const { name, contextLengthTokens } = MODELS[index];
  return runtime.load({
    modelKey: name,
    loadConfig: { ...DEFAULT_LOAD_CONFIG, contextLengthTokens, parallelSequences: 1 },
  });
}
