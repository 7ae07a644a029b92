import type { Footprint, Resources } from '@mai/memory-ledger';
import type { Candidate } from '@mai/selector';
import { callOptions } from '../ports/call-options.js';
import type { CandidateProfile, CatalogReading } from '../ports/catalog-port.js';
import type { Estimate, EstimatorPort } from '../ports/estimator-port.js';
import { buildLadder, type LadderRung } from './ladder.js';
import { mapConcurrently } from './map-concurrently.js';
import type { CompleteRequest } from './selection-request.js';

/** Estimates read files or ask LM Studio; more at once only queue up behind the same disk. */
const ESTIMATES_AT_ONCE = 4;

/** One way to load a candidate, with what it takes and what it gives up. */
export interface LadderLoadOption extends LadderRung {
  readonly footprint: Footprint | null;
  readonly guardrails: 'pass' | 'refuse' | null;
}

/** A candidate whose load options say which rung of the ladder they are. */
export interface LadderCandidate extends Candidate {
  readonly loadOptions: readonly LadderLoadOption[];
  readonly ttlMs: number | null;
}

interface Sources {
  readonly estimator: EstimatorPort;
  readonly catalog: CatalogReading;
  readonly resources: Resources;
  readonly request: CompleteRequest;
  readonly signal: AbortSignal | null;
}

/** The chain with its ladders, every rung with its own footprint. */
export async function buildCandidates(sources: Sources): Promise<LadderCandidate[]> {
  const profiles = await withSmallerQuantizations(sources);
  const { request, resources } = sources;
  const hasDedicatedGpu =
    !resources.unified && resources.gpus.some((gpu) => gpu.memory === 'dedicated');
  const ladders = profiles.map((profile) => {
    const rungs = buildLadder(profile, request.requirement, hasDedicatedGpu);
    // What is not on disk can't be loaded in any way, and mostly can't be estimated either.
    return { profile, rungs: request.ladder && profile.downloaded ? rungs : rungs.slice(0, 1) };
  });
  const questions = ladders.flatMap(({ profile, rungs }) =>
    rungs.map((rung) => ({ profile, rung })),
  );
  const options = await mapConcurrently(questions, ESTIMATES_AT_ONCE, async (question) => {
    const { rung, profile } = question;
    const { refused = false, ...estimate } = await estimateRung(sources, profile, rung);
    return { option: { ...rung, ...estimate }, refused };
  });
  let next = 0;
  return ladders.map(({ profile, rungs }) => {
    const own = options.slice(next, next + rungs.length);
    next += rungs.length;
    return {
      modelKey: profile.modelKey,
      displayName: profile.displayName,
      tier: profile.tier,
      capabilities: profile.capabilities,
      downloaded: profile.downloaded,
      maxContextLengthTokens: profile.maxContextLengthTokens,
      loadOptions: dropIdleRungs(dropRefusedRungs(own)),
      coolingDownUntilMs: request.coolingDownUntilMs[profile.modelKey] ?? null,
      ttlMs: profile.ttlMs,
    };
  });
}

async function estimateRung(
  sources: Sources,
  profile: CandidateProfile,
  rung: LadderRung,
): Promise<Estimate> {
  const estimate: Estimate = profile.downloaded
    ? await sources.estimator.estimate(
        {
          modelKey: profile.modelKey,
          loadConfig: rung.loadConfig,
          resources: sources.resources,
          deviceIdentifier: sources.request.deviceIdentifier,
        },
        callOptions(sources.signal, null),
      )
    : { footprint: null, guardrails: null };
  if (estimate.footprint !== null) return estimate;
  return { ...estimate, footprint: configuredFootprint(profile, sources.resources) };
}

/** What the configuration claims, the last resort: it knows neither context nor offload. */
function configuredFootprint(profile: CandidateProfile, resources: Resources): Footprint | null {
  if (profile.minMemoryBytes === null && profile.minVramBytes === null) return null;
  const gpu = resources.unified
    ? undefined
    : resources.gpus.find((device) => device.memory === 'dedicated');
  return {
    ram: { mappedBytes: 0, anonymousBytes: profile.minMemoryBytes ?? profile.minVramBytes ?? 0 },
    gpus:
      gpu === undefined || profile.minVramBytes === null
        ? []
        : [{ deviceKey: gpu.deviceKey, bytes: profile.minVramBytes }],
    interval: null,
    source: 'configured',
    confidence: 'low',
  };
}

/** Where the engine refuses all of them, the first stays: its own words at loading say what is wrong. */
function dropRefusedRungs(
  rungs: readonly { readonly option: LadderLoadOption; readonly refused: boolean }[],
): readonly LadderLoadOption[] {
  const loadable = rungs.filter(({ refused }) => !refused);
  return (loadable.length > 0 ? loadable : rungs.slice(0, 1)).map(({ option }) => option);
}

/**
 * A rung that spares no pool anything is none: experts of a dense model, a KV cache that the
 * estimate does not see. The first one stays whatever it costs.
 */
function dropIdleRungs(options: readonly LadderLoadOption[]): LadderLoadOption[] {
  const kept: LadderLoadOption[] = [];
  for (const option of options) {
    const last = kept[kept.length - 1];
    if (last === undefined || sparesSomething(option.footprint, last.footprint)) kept.push(option);
  }
  return kept;
}

function sparesSomething(cheaper: Footprint | null, dearer: Footprint | null): boolean {
  if (cheaper === null || dearer === null) return false;
  const gpuBytes = (footprint: Footprint, deviceKey: string): number =>
    footprint.gpus
      .filter((gpu) => gpu.deviceKey === deviceKey)
      .reduce((sum, gpu) => sum + gpu.bytes, 0);
  return (
    ramBytes(cheaper) < ramBytes(dearer) ||
    dearer.gpus.some(({ deviceKey }) => gpuBytes(cheaper, deviceKey) < gpuBytes(dearer, deviceKey))
  );
}

/** Puts the smaller quantizations of a model behind it, largest first, unless the chain names them. */
async function withSmallerQuantizations(sources: Sources): Promise<CandidateProfile[]> {
  const { chain, variants } = sources.catalog;
  const named = new Set(chain.map((profile) => profile.modelKey));
  const extended: CandidateProfile[] = [];
  for (const profile of chain) {
    extended.push(profile);
    const others = (variants[profile.modelKey] ?? []).filter((key) => !named.has(key));
    if (others.length === 0 || !sources.request.ladder || !profile.downloaded) continue;
    const [own, ...sized] = await mapConcurrently(
      [profile.modelKey, ...others],
      ESTIMATES_AT_ONCE,
      async (modelKey) => {
        const estimate = await sources.estimator.estimate(
          {
            modelKey,
            loadConfig: {
              ...profile.loadConfig,
              contextLengthTokens: profile.contextLengthTokens,
            },
            resources: sources.resources,
            deviceIdentifier: sources.request.deviceIdentifier,
          },
          callOptions(sources.signal, null),
        );
        return { modelKey, bytes: totalBytes(estimate.footprint) };
      },
    );
    const smaller = sized
      .filter((size) => size.bytes !== null && size.bytes < (own?.bytes ?? 0))
      .sort((one, other) => (other.bytes ?? 0) - (one.bytes ?? 0));
    for (const { modelKey } of smaller) extended.push({ ...profile, modelKey });
  }
  return extended;
}

function ramBytes(footprint: Footprint): number {
  return footprint.ram.mappedBytes + footprint.ram.anonymousBytes;
}

function totalBytes(footprint: Footprint | null): number | null {
  if (footprint === null) return null;
  return footprint.gpus.reduce((sum, gpu) => sum + gpu.bytes, ramBytes(footprint));
}
