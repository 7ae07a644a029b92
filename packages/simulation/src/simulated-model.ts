import type { Footprint, LoadConfig, Resources } from '@mai/memory-ledger';
import type { Requirement } from '@mai/selector';
import { buildLoadSteps, type LoadStep, type CandidateProfile } from '@mai/autopilot';
import type { Demand } from './pools.js';

/** What one way to load a model takes and is worth. */
export interface SimulatedRung {
  /** All of it; taken from RAM where there is no GPU with memory of its own. */
  readonly footprintBytes: number;
  /** The part of it that a GPU with memory of its own holds. */
  readonly vramBytes: number;
  /** 0 to 1. */
  readonly quality: number;
}

/** A model of a simulation. */
export interface SimulatedModel extends SimulatedRung {
  readonly profile: CandidateProfile;
  readonly loadMs: number;
  /** Cheaper ways to load it, dearest first; used for the first rungs of its ladder. */
  readonly rungs: readonly SimulatedRung[];
}

/** What a rung takes of each pool. */
export function demandOf(rung: SimulatedRung, gpuShares: readonly number[]): Demand {
  if (gpuShares.length === 0) return [rung.footprintBytes];
  return [
    rung.footprintBytes - rung.vramBytes,
    ...gpuShares.map((share) => share * rung.vramBytes),
  ];
}

/** The ways to load a model, dearest first. */
export function rungsOf(model: SimulatedModel): readonly SimulatedRung[] {
  return [model, ...model.rungs];
}

const NOTHING_REQUIRED: Requirement = {
  capabilities: [],
  minContextLengthTokens: null,
  tiers: null,
};

const ladders = new WeakMap<SimulatedModel, Partial<Record<'cpu' | 'gpu', readonly LoadStep[]>>>();

/** Built once per model: a simulation asks for it at every step. */
function ladderOf(model: SimulatedModel, hasGpu: boolean): readonly LoadStep[] {
  const known = ladders.get(model) ?? {};
  const kind = hasGpu ? 'gpu' : 'cpu';
  const ladder = known[kind] ?? buildLoadSteps(model.profile, NOTHING_REQUIRED, hasGpu);
  ladders.set(model, { ...known, [kind]: ladder });
  return ladder;
}

/** Which rung of a model a load configuration stands for; -1 when it is beyond those listed. */
export function rungIndexOf(
  model: SimulatedModel,
  loadConfig: LoadConfig,
  hasGpu: boolean,
): number {
  const ladder = ladderOf(model, hasGpu);
  const index = ladder.findIndex((rung) => isSame(rung.loadConfig, loadConfig));
  return index <= model.rungs.length ? index : -1;
}

/** The load configuration that stands for a rung. */
export function configOfRung(model: SimulatedModel, index: number, hasGpu: boolean): LoadConfig {
  const ladder = ladderOf(model, hasGpu);
  const rung = ladder[Math.min(index, ladder.length - 1)];
  return rung?.loadConfig ?? model.profile.loadConfig;
}

/** A footprint that is known exactly, of what a machine has. */
export function footprintOf(demand: Demand, { gpus }: Pick<Resources, 'gpus'>): Footprint {
  const [ramBytes = 0, ...vramBytes] = demand;
  const dedicated = gpus.filter((gpu) => gpu.memory === 'dedicated');
  return {
    ram: { mappedBytes: 0, anonymousBytes: ramBytes },
    gpus: vramBytes.flatMap((bytes, index) => {
      const gpu = dedicated[index];
      return gpu === undefined ? [] : [{ deviceKey: gpu.deviceKey, bytes }];
    }),
    interval: null,
    source: 'measured',
    confidence: 'high',
  };
}

function isSame(one: LoadConfig, other: LoadConfig): boolean {
  return (
    one.contextLengthTokens === other.contextLengthTokens &&
    one.kvCacheTypeK === other.kvCacheTypeK &&
    one.kvCacheTypeV === other.kvCacheTypeV &&
    one.offloadRatio === other.offloadRatio &&
    one.cpuExpertRatio === other.cpuExpertRatio
  );
}
