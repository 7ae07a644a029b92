import { chargeResidents, unmeasuredPools } from '@mai/memory-ledger';
import { messageOf } from '../../error-facts.js';
import type { ObservedModel } from '../../ports/control-facts.js';
import type { AutopilotFacts, JournalFacts, MachineStatus } from '../../ports/control-port.js';
import { journalView } from '../views/journal-view.js';
import { footprintView, loadConfigView } from '../views/memory-views.js';
import type { AnswerOf, HandlerParts } from './handlers.js';

/** Answers `status`. */
export async function readStatus(parts: HandlerParts): Promise<AnswerOf<'status'>> {
  const { machine, readings, words, clock, startedAtMs } = parts;
  const [status, autopilot, journal] = await Promise.all([
    readings.status(),
    machine.autopilotState(),
    machine.journal(),
  ]);
  const { runtime, resources, config } = status;
  const observed = autopilot?.decision?.input.residents ?? [];
  const taken = bytesOf(status, observed);
  return {
    atMs: clock.nowMs(),
    gateway: { startedAtMs },
    runtime:
      runtime.state !== 'running'
        ? { name: runtime.name, state: runtime.state, message: runtime.message }
        : {
            name: runtime.name,
            state: runtime.state,
            baseUrl: runtime.baseUrl,
            version: runtime.version,
            isLocal: runtime.isLocal,
          },
    autopilot: autopilot === null ? null : autopilotView(autopilot),
    pools: poolViews(status, taken, words),
    residents: residentViews(status, { taken, observed, autopilot, journal }),
    elsewhere: status.elsewhere.map(({ instanceIdentifier, modelKey }) => ({
      instanceIdentifier,
      modelKey,
    })),
    cpu: {
      utilizationRatio: resources.cpu.utilizationRatio,
      othersRatio: resources.cpu.othersRatio,
    },
    gpus: resources.gpus.map(({ deviceKey, name, vendor, memory, totalBytes, availableBytes }) => ({
      deviceKey,
      name,
      vendor,
      memory,
      totalBytes,
      availableBytes,
    })),
    observable: resources.observable,
    ...journalView(journal),
    config: { source: config.source, file: config.file },
  };
}

function autopilotView(state: AutopilotFacts): NonNullable<AnswerOf<'status'>['autopilot']> {
  const { status, fault, putOffUntilMs, breakerOpenUntilMs, idle, waiting, leased } = state;
  return {
    status,
    fault: fault === null || fault === undefined ? null : messageOf(fault),
    putOffUntilMs,
    breakerOpenUntilMs,
    idle,
    waiting,
    leased: [...leased],
  };
}

type Taken = ReadonlyMap<string, AnswerOf<'status'>['residents'][number]['pools']>;

/** The bytes that each resident takes of each pool, as observed where the autopilot has observed them. */
function bytesOf(
  { residents, resources }: MachineStatus,
  observed: readonly ObservedModel[],
): Taken {
  const known = residents.map(({ instanceIdentifier, footprint }) => ({
    footprint,
    observation: observationOf(instanceIdentifier, observed),
  }));
  const charged = chargeResidents(known, resources, 'ignore');
  return new Map(
    residents.map(({ instanceIdentifier }, index) => [
      instanceIdentifier,
      [...(charged[index]?.full ?? [])].map(([pool, bytes]) => ({ pool, bytes })),
    ]),
  );
}

function poolViews(
  { pools, trends, residents, resources }: MachineStatus,
  taken: Taken,
  words: HandlerParts['words'],
): AnswerOf<'status'>['pools'] {
  const unmeasured = unmeasuredPools(resources);
  return pools.map((one) => {
    const trend = trends.find(({ pool }) => pool === one.pool)?.trend ?? null;
    return {
      pool: one.pool,
      label: words.poolLabel(one.pool, resources),
      totalBytes: one.totalBytes,
      measured: !unmeasured.includes(one.pool),
      othersBytes: one.othersBytes,
      yieldedBytes: one.yieldedBytes ?? 0,
      useBytes: one.useBeforeBytes,
      growthBytes: one.growthBytes,
      freeBytes: one.totalBytes - one.useBeforeBytes,
      limitBytes: one.limitBytes,
      hardLimitBytes: one.hardLimitBytes,
      residents: residents.flatMap(({ instanceIdentifier }) => {
        const bytes = taken.get(instanceIdentifier)?.find(({ pool }) => pool === one.pool)?.bytes;
        return bytes === undefined ? [] : [{ instanceIdentifier, bytes }];
      }),
      trend:
        trend === null ? null : { direction: trend.direction, timeToLimitMs: trend.timeToLimitMs },
    };
  });
}

function residentViews(
  { residents }: MachineStatus,
  {
    taken,
    observed,
    autopilot,
    journal,
  }: {
    readonly taken: Taken;
    readonly observed: readonly ObservedModel[];
    readonly autopilot: AutopilotFacts | null;
    readonly journal: JournalFacts;
  },
): AnswerOf<'status'>['residents'] {
  const pinned = new Set(journal.pins.map(({ target }) => target));
  return residents.map((one) => ({
    instanceIdentifier: one.instanceIdentifier,
    modelKey: one.modelKey,
    contextLengthTokens: one.contextLengthTokens,
    loadConfig: loadConfigView(one.loadConfig),
    sizeBytes: one.sizeBytes,
    footprint: one.footprint === null ? null : footprintView(one.footprint),
    measuredRamBytes: observationOf(one.instanceIdentifier, observed)?.processBytes ?? null,
    pools: taken.get(one.instanceIdentifier) ?? [],
    busy: one.busy,
    queued: one.queued,
    foreign: one.foreign,
    pinned: pinned.has(one.instanceIdentifier) || pinned.has(one.modelKey),
    leased: autopilot?.leased.includes(one.instanceIdentifier) ?? false,
    lastUsedAtMs: one.lastUsedAtMs,
    ttlMs: one.ttlMs,
    exceedsGpus: one.exceedsGpus,
  }));
}

function observationOf(
  identifier: string,
  observed: readonly ObservedModel[],
): ObservedModel['observation'] {
  return observed.find((one) => one.instanceIdentifier === identifier)?.observation ?? null;
}
