import {
  chargeLoad,
  chargeResidents,
  totalBytesOf,
  type Charge,
  type LoadConfig,
} from '@mai/memory-ledger';
import type { MachineStatus } from '../../ports/control-port.js';
import { footprintView, loadConfigView, poolChangesView } from '../views/memory-views.js';
import type { AnswerOf, HandlerParts } from './handlers.js';
import { journalView } from '../views/journal-view.js';
import { estimate, type WantedLoad } from './what-if.js';

type Change = AnswerOf<'load'>;
type PoolChange = Change['pools'][number];

const NOTHING = { possible: true, loads: [], unloads: [], pools: [], warnings: [] } as const;

/** Answers `load` with `dryRun`: estimates the load beside all residents, as a load by hand unloads none. */
export async function planLoad(
  parts: HandlerParts,
  wanted: WantedLoad,
  signal: AbortSignal,
): Promise<Change> {
  const { machine, readings, words } = parts;
  const [status, journal, { config }, estimated] = await Promise.all([
    readings.status(),
    machine.journal({ signal }),
    machine.config(),
    estimate(parts, wanted, signal),
  ]);
  const { resources } = status;
  const { fit, corrected, report } = estimated;
  const footprint = corrected ?? fit?.footprint ?? null;
  const loaded =
    footprint === null ? null : chargeLoad(footprint, resources, config.switching.growth);
  const pools = loaded === null ? [] : change(poolsNow(status, words), loaded, 1);
  const lacking = pools.filter(({ useAfterBytes, limitBytes }) => useAfterBytes > limitBytes);
  const size = words.formatBytes(footprint === null ? report.totalBytes : totalBytesOf(footprint));
  const { contextLengthTokens } = report.loadConfig;
  return {
    ...NOTHING,
    action: 'load',
    dryRun: true,
    possible: lacking.length === 0,
    summary: `Loads ${wanted.model} with ${words.formatCount(contextLengthTokens)} tokens of context, which takes about ${size}, and pins it.`,
    loads: [
      {
        modelKey: wanted.model,
        instanceIdentifier: null,
        loadConfig: fit === null ? null : loadConfigView(fit.loadConfig),
        footprint: footprint === null ? null : footprintView(footprint),
      },
    ],
    pools,
    warnings: [
      ...(footprint === null ? ['The memory of this model is not known.'] : []),
      ...lacking.map(
        ({ label, useAfterBytes, limitBytes }) =>
          `${label} would be ${words.formatBytes(useAfterBytes - limitBytes)} over its limit, so other models would be unloaded or the machine would run out of memory.`,
      ),
    ],
    ...journalView(journal),
  };
}

/** Answers `load`. */
export async function load(
  { machine, readings }: HandlerParts,
  {
    identifier,
    ttlMs,
    ...wanted
  }: WantedLoad & {
    readonly identifier?: string | undefined;
    readonly ttlMs?: number | undefined;
  },
  signal: AbortSignal,
): Promise<Change> {
  const { instance, verified, reused, pinError } = await machine.load(
    {
      models: [wanted.model],
      changes: changesOf(wanted),
      identifier: identifier ?? null,
      ttlMs: ttlMs ?? null,
    },
    { signal },
  );
  readings.forget();
  const { modelKey, instanceIdentifier, loadConfig } = instance;
  return {
    ...NOTHING,
    action: 'load',
    dryRun: false,
    summary: reused
      ? `${instanceIdentifier} was loaded already.`
      : `Loaded ${modelKey} as ${instanceIdentifier}.`,
    loads: [
      {
        modelKey,
        instanceIdentifier,
        loadConfig: loadConfigView(loadConfig),
        footprint: null,
      },
    ],
    warnings: [
      ...verified.map(({ field }) => `The runtime chose another value of ${field}.`),
      ...(pinError === null || pinError === undefined
        ? []
        : ['The pin could not be saved, so the autopilot may unload the model.']),
    ],
    ...journalView(await machine.journal({ signal })),
  };
}

/** Answers `unload`. */
export async function unload(
  { machine, readings, words }: HandlerParts,
  {
    target,
    all,
    force,
    dryRun,
  }: {
    readonly target: string;
    readonly all: boolean;
    readonly force: boolean;
    readonly dryRun: boolean;
  },
  signal: AbortSignal,
): Promise<Change> {
  const status = await readings.status();
  const { unloaded } = await machine.unload({ target, all, force }, { dryRun, signal });
  if (!dryRun) readings.forget();
  const charged = chargeResidents(
    status.residents.map(({ footprint }) => ({ footprint, observation: null })),
    status.resources,
    'ignore',
  );
  const chargeOf = (identifier: string): Charge | null => {
    const index = status.residents.findIndex((one) => one.instanceIdentifier === identifier);
    return index === -1 ? null : (charged[index]?.full ?? null);
  };
  const unloads = unloaded.map(({ modelKey, instanceIdentifier }) => {
    const footprint =
      status.residents.find((one) => one.instanceIdentifier === instanceIdentifier)?.footprint ??
      null;
    return {
      modelKey,
      instanceIdentifier,
      freesBytes: footprint === null ? null : totalBytesOf(footprint),
    };
  });
  const freed = unloads.reduce((sum, { freesBytes }) => sum + (freesBytes ?? 0), 0);
  const names = unloads.map(({ instanceIdentifier }) => instanceIdentifier).join(', ');
  let pools = poolsNow(status, words);
  for (const { instanceIdentifier } of unloads) {
    pools = change(pools, chargeOf(instanceIdentifier) ?? new Map(), -1);
  }
  return {
    ...NOTHING,
    action: 'unload',
    dryRun,
    summary: `${dryRun ? 'Unloads' : 'Unloaded'} ${names}, which frees about ${words.formatBytes(freed)}.`,
    unloads,
    pools,
    ...journalView(await machine.journal({ signal })),
  };
}

function changesOf({
  contextLengthTokens,
  kvCacheType,
  parallelSequences,
}: WantedLoad): Partial<LoadConfig> {
  return {
    ...(contextLengthTokens === undefined ? {} : { contextLengthTokens }),
    ...(kvCacheType === undefined || kvCacheType === null
      ? {}
      : { kvCacheTypeK: kvCacheType, kvCacheTypeV: kvCacheType }),
    ...(parallelSequences === undefined ? {} : { parallelSequences }),
  };
}

/** The pools as they are, for changes to start from. */
function poolsNow(
  { pools, resources }: MachineStatus,
  words: HandlerParts['words'],
): readonly PoolChange[] {
  return poolChangesView(pools, resources, words).map((pool) => ({
    ...pool,
    useAfterBytes: pool.useBeforeBytes,
    headroomBytes: pool.totalBytes - pool.useBeforeBytes,
  }));
}

/** The pools after a charge is added or taken away. */
function change(pools: readonly PoolChange[], charge: Charge, sign: 1 | -1): readonly PoolChange[] {
  const bytesBy = new Map<string, number>(charge);
  return pools.map((pool) => {
    const useAfterBytes = Math.max(0, pool.useAfterBytes + sign * (bytesBy.get(pool.pool) ?? 0));
    return { ...pool, useAfterBytes, headroomBytes: pool.totalBytes - useAfterBytes };
  });
}
