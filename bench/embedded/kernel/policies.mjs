// The ways to keep a model loaded. Each gives `address()`, where the client asks now, and `close()`.
import { createGateway } from '@mai/gateway';
import { openHost } from '@mai/host';
import { createLlamaRuntime } from '@mai/llama-runtime';
import { DEFAULT_LOAD_CONFIG } from '@mai/memory-ledger';
import path from 'node:path';
import { MODELS } from './models.mjs';

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
    address: () =>
      Promise.resolve({ baseUrl: `${url}/v1`, requestHeaders: {}, model: 'auto', modelKey: null }),
    close: async () => {
      await gateway[Symbol.asyncDispose]();
      await autopilot.stop();
      await host[Symbol.asyncDispose]();
    },
  };
}

/** The largest model that fits at the start, for ever. */
async function openStatic({ folder, workFolder, heldBytes, limitBytes }) {
  const runtime = await openRuntime(folder, workFolder);
  await loadLargest(runtime, heldBytes, limitBytes);
  return serveWith(runtime);
}

/** A rule of thumb: above 80 % the next smaller model, below it the next larger where its file fits below 80 %. */
async function openNaive({ folder, workFolder, heldBytes, limitBytes }) {
  const runtime = await openRuntime(folder, workFolder);
  let current = await loadLargest(runtime, heldBytes, limitBytes);
  let changing = false;
  const step = async () => {
    if (changing) return;
    const used = heldBytes();
    const bound = (NAIVE_PERCENT / 100) * limitBytes;
    const next =
      used > bound
        ? Math.min(MODELS.length - 1, current + 1)
        : current > 0 && used + MODELS[current - 1].mebibytes * 1024 ** 2 < bound
          ? current - 1
          : current;
    if (next === current) return;
    changing = true;
    await runtime.unload(MODELS[current].name).catch(() => undefined);
    current = next;
    await load(runtime, current).catch(() => undefined);
    changing = false;
  };
  const timer = setInterval(() => void step(), NAIVE_PERIOD_MS);
  const serving = serveWith(runtime);
  return { ...serving, close: () => (clearInterval(timer), serving.close()) };
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

function serveWith(runtime) {
  return {
    address: async () => {
      const [resident] = await runtime.listResidents();
      if (resident === undefined) throw new Error('no model is loaded');
      const { instanceIdentifier, modelKey } = resident;
      const address = await runtime.addressOf(instanceIdentifier);
      return { ...address, model: instanceIdentifier, modelKey };
    },
    close: () => runtime.close(),
  };
}
