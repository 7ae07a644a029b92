import type { ResidentInstance } from '@mai/lmstudio-adapter';
import { engineOfInstance } from '../engine/load-engine.js';
import type { HostParts } from '../host-parts.js';
import type { Downloads } from '../downloads/downloads-list.js';
import { surveyMachine } from '../runtime/compose-ports.js';
import type { RuntimeLink } from '../runtime/connect-runtime.js';
import { listDownloadsNow } from '../session/session.js';
import { guessSubject } from '../speeds/guess-subject.js';
import type { SpeedResources, SpeedSubject } from '../speeds/speed-subject.js';
import { speedsOfRuntime } from '../speeds/speeds-of-runtime.js';

/** Age from which the GPUs and the downloads are read again. Both change seldom. */
const FACTS_FRESH_MS = 600_000;
/** Age from which the residents are listed again: a person may have loaded one again with other settings. */
const RESIDENTS_FRESH_MS = 60_000;

/** Finds the residents of this machine, and what their speeds depend on. Keeps what it has read for a while. */
export interface ResidentSubjects {
  /** Null where the resident is not on this machine, or the runtime is off. */
  residentOf(instanceIdentifier: string): Promise<ResidentInstance | null>;
  /** The subject of a resident; null where it is not on this machine. */
  of(instanceIdentifier: string): Promise<SpeedSubject | null>;
  ofInstance(instance: ResidentInstance): Promise<SpeedSubject | null>;
  /** Lists the residents again at the next question about this one. */
  forget(instanceIdentifier: string): void;
}

/** Reads nothing before the first call. */
export function createResidentSubjects(parts: HostParts): ResidentSubjects {
  const { clock, signal } = parts.context;
  let facts: { readonly atMs: number; readonly value: Promise<Facts> } | null = null;
  const residents = new Map<string, ResidentInstance>();
  let listedAtMs = -Infinity;

  const factsNow = (): Promise<Facts> => {
    const nowMs = clock.monotonicMs();
    if (facts === null || nowMs - facts.atMs > FACTS_FRESH_MS) {
      const value = readFacts(parts);
      facts = { atMs: nowMs, value };
      value.catch(() => (facts = null));
    }
    return facts.value;
  };

  const residentOf = async (instanceIdentifier: string): Promise<ResidentInstance | null> => {
    const known = residents.get(instanceIdentifier);
    const nowMs = clock.monotonicMs();
    if (known !== undefined && nowMs - listedAtMs < RESIDENTS_FRESH_MS) return known;
    const link = await parts.runtime.link(signal);
    if (link.kind === 'off') return null;
    residents.clear();
    listedAtMs = nowMs;
    for (const one of await link.client.listResidents({ signal })) {
      if (one.deviceIdentifier === null) residents.set(one.instanceIdentifier, one);
    }
    return residents.get(instanceIdentifier) ?? null;
  };

  const ofInstance = async (instance: ResidentInstance): Promise<SpeedSubject | null> => {
    const { downloads, resources, subjects } = await factsNow();
    const found = await downloads.find(instance.variant ?? instance.modelKey);
    const files = (await downloads.filesOfResident(instance)) ?? found?.files ?? null;
    const { contextLengthTokens, modelKey } = instance;
    const load = {
      model: found?.model ?? null,
      loadConfig: { ...instance.loadConfig, contextLengthTokens },
      resources,
      engine: engineOfInstance(downloads.engine, instance),
    };
    const sizes = [load.model?.sizeBytes, instance.sizeBytes];
    return (
      (await subjects.find({ ...load, files })) ??
      guessSubject({ ...load, modelKey, sizes, ramBandwidth: null })
    );
  };

  return {
    residentOf,
    of: async (instanceIdentifier) => {
      const instance = await residentOf(instanceIdentifier);
      return instance === null ? null : ofInstance(instance);
    },
    ofInstance,
    forget: (instanceIdentifier) => residents.delete(instanceIdentifier),
  };
}

/** The facts of the machine that complete a measurement. */
interface Facts {
  readonly downloads: Downloads;
  readonly resources: SpeedResources;
  readonly subjects: ReturnType<
    Awaited<ReturnType<HostParts['estimation']>>['createSubjectFinder']
  >;
}

async function readFacts(parts: HostParts): Promise<Facts> {
  const { signal } = parts.context;
  const [{ createSubjectFinder, headers }, downloads] = await Promise.all([
    parts.estimation(),
    listDownloadsNow(parts, undefined),
  ]);
  const [speeds, resources] = await Promise.all([
    speedsOfRuntime(parts, downloads.link),
    gpusOf(parts, downloads.link, signal),
  ]);
  return { downloads, resources, subjects: createSubjectFinder(headers, speeds) };
}

/** The GPUs of the machine that the runtime loads models on. */
async function gpusOf(
  { monitor }: HostParts,
  link: RuntimeLink,
  signal: AbortSignal,
): Promise<Facts['resources']> {
  if (link.kind === 'off' || link.runtime === 'embedded' || link.client.host.isLocal)
    return monitor.port.snapshot({ signal });
  const { unified, gpus, ramTotalBytes } = await surveyMachine(link.client, { signal });
  return {
    unified,
    ram: { totalBytes: ramTotalBytes },
    gpus: gpus.map((gpu) => ({ ...gpu, vendor: null, availableBytes: null })),
  };
}
