// The company of the simulated week: fifty machines with other programs, and the models on them.
//
// Footprints, speeds and hours are chosen, not measured. Decode speeds follow memory bandwidth (about 900, 300 and 60 GB a
// second, of which 60 % are reached), because each token reads the whole model.
import { DEFAULT_LOAD_CONFIG } from '@mai/memory-ledger';
import { createRandom } from '../../yardstick/random.mjs';

export const HOUR_MS = 3_600_000;
export const DAY_MS = 24 * HOUR_MS;
const GIB = 1024 ** 3;
const CONTEXT_TOKENS = 16_384;
const STEP_S = 600;

/** In order of preference. `vision` is in no chain: it is loaded for requests that name it. */
export const MODELS = {
  large: { tier: 'large', gib: 20, vramGib: 19, quality: 0.9, capabilities: ['chat'] },
  coder: { tier: 'medium', gib: 11, vramGib: 10, quality: 0.8, capabilities: ['chat', 'coding'] },
  small: { tier: 'small', gib: 3, vramGib: 2.5, quality: 0.45, capabilities: ['chat', 'coding'] },
  vision: { tier: 'medium', gib: 9, vramGib: 8, quality: 0.7, capabilities: ['vision'] },
};
export const CHAIN = ['large', 'coder', 'small'];
/** Mai's default of `min_tokens_per_second`: a slower model is in no machine's own chain. */
const SLOWEST = 6;

/**
 * `gibPerSecond`: speed of a load. `slowdown`: how much one more request slows those beside it; see `slowdownRatio` of the
 * placement policy, which assumes 0.5 for each machine. `others`: GiB that other programs use when little and when much
 * is open.
 */
const CLASSES = {
  workstation: {
    count: 10,
    ramGib: 64,
    gpu: { totalGib: 24, unified: false, others: { calm: [0.5, 2], busy: [5, 21] } },
    others: { calm: [6, 12], busy: [14, 30] },
    bandwidth: 900,
    promptScale: 55,
    gibPerSecond: 1.2,
    slowdown: 0.3,
    alwaysOn: true,
  },
  laptop: {
    count: 15,
    ramGib: 36,
    gpu: { totalGib: 27, unified: true, others: null },
    others: { calm: [6, 9], busy: [11, 22] },
    bandwidth: 300,
    promptScale: 27,
    gibPerSecond: 2,
    slowdown: 0.6,
    alwaysOn: false,
  },
  office: {
    count: 25,
    ramGib: 16,
    gpu: null,
    others: { calm: [4, 6], busy: [6.5, 11] },
    bandwidth: 60,
    promptScale: 8,
    gibPerSecond: 0.5,
    slowdown: 1,
    alwaysOn: false,
  },
};

/**
 * The machines, each with the memory of its other programs over the week and the hours of its owner.
 *
 * @param counts how many workstations, laptops and office computers there are; default 10, 15 and 25
 */
export function company(seed, counts = []) {
  const random = createRandom(seed);
  const machines = [];
  for (const [at, [kind, spec]] of Object.entries(CLASSES).entries()) {
    for (let index = 0; index < (counts[at] ?? spec.count); index += 1) {
      const name = `${kind}-${String(index + 1).padStart(2, '0')}`;
      machines.push(machine(name, kind, spec, random));
    }
  }
  return machines;
}

function machine(name, kind, spec, random) {
  const days = Array.from({ length: 5 }, (_, day) => ({
    fromMs: day * DAY_MS + between(random, 8, 9.5) * HOUR_MS,
    toMs: day * DAY_MS + between(random, 16.5, 18.5) * HOUR_MS,
  }));
  const speeds = Object.fromEntries(
    Object.entries(MODELS).map(([modelKey, { gib }]) => {
      const decode = (0.6 * spec.bandwidth) / gib;
      return [
        modelKey,
        {
          decode,
          prompt: decode * spec.promptScale,
          loadMs: 2_000 + (gib / spec.gibPerSecond) * 1_000,
          // The speed that the host reports, relative to its real speed.
          toldRatio: Math.exp(0.2 * normal(random)),
        },
      ];
    }),
  );
  return {
    name,
    kind,
    days,
    speeds,
    slowdown: spec.slowdown,
    chain: CHAIN.filter((modelKey) => speeds[modelKey].decode >= SLOWEST),
    models: Object.entries(MODELS).map(([modelKey, model]) =>
      simulatedModel(modelKey, model, speeds[modelKey].loadMs),
    ),
    trace: traceOf(spec, days, random),
  };
}

function simulatedModel(modelKey, { tier, gib, vramGib, quality, capabilities }, loadMs) {
  return {
    profile: {
      modelKey,
      displayName: modelKey,
      tier,
      capabilities,
      contextLengthTokens: CONTEXT_TOKENS,
      maxContextLengthTokens: CONTEXT_TOKENS,
      minMemoryBytes: null,
      minVramBytes: null,
      loadConfig: { ...DEFAULT_LOAD_CONFIG, contextLengthTokens: CONTEXT_TOKENS },
      ttlMs: null,
      downloaded: true,
      refusal: null,
      fileStamp: null,
      expandedFrom: null,
    },
    footprintBytes: gib * GIB,
    vramBytes: vramGib * GIB,
    loadMs,
    quality,
    cheaperLoadOptions: [],
  };
}

/**
 * Rows every ten minutes. Programs are opened and closed for one to three hours while the owner is there: use alternates
 * between calm and busy levels, with some noise. A machine that is not always on has no LM Studio without its owner.
 */
function traceOf(spec, days, random) {
  const rows = [];
  let isOn = true;
  let isBusy = false;
  let untilS = 0;
  let level = spec.others.calm[0];
  let gpuLevel = spec.gpu?.others?.calm[0] ?? 0;
  const endS = (7 * DAY_MS) / 1_000;
  for (let atS = 0; atS <= endS; atS += STEP_S) {
    const there = days.some(({ fromMs, toMs }) => atS * 1_000 >= fromMs && atS * 1_000 < toMs);
    if (!there && isBusy) untilS = 0;
    if (atS >= untilS) {
      isBusy = there && !isBusy;
      untilS = atS + between(random, isBusy ? 3_000 : 2_000, isBusy ? 9_000 : 8_000);
      level = between(random, ...(isBusy ? spec.others.busy : spec.others.calm));
      const onGpu = spec.gpu?.others ?? null;
      if (onGpu !== null) gpuLevel = between(random, ...(isBusy ? onGpu.busy : onGpu.calm));
    }
    const shouldBeOn = there || spec.alwaysOn;
    const events = [];
    if (shouldBeOn !== isOn) events.push({ type: shouldBeOn ? 'lmStudioUp' : 'lmStudioDown' });
    isOn = shouldBeOn;
    rows.push({
      tMs: atS * 1_000,
      ram: {
        totalBytes: spec.ramGib * GIB,
        othersBytes: Math.round((level + between(random, -0.3, 0.3)) * GIB),
      },
      gpus: gpusOf(spec.gpu, gpuLevel),
      cpuOthersRatio: isBusy ? 0.3 : 0.1,
      onBattery: false,
      requests: { ratePerMinute: 0, meanSeconds: 0 },
      events,
    });
  }
  return rows;
}

function gpusOf(gpu, othersGib) {
  if (gpu === null) return [];
  const { totalGib, unified } = gpu;
  return [{ totalBytes: totalGib * GIB, othersBytes: unified ? 0 : othersGib * GIB, unified }];
}

export const between = (random, low, high) => low + (high - low) * random();

/** A random number with a normal distribution, mean 0 and standard deviation 1 (Box and Muller). */
export function normal(random) {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}
