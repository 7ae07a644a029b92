import { availableParallelism } from 'node:os';
import {
  type EngineHardware,
  type HardwareSurvey,
  isLMStudioError,
  type LMStudioHome,
  type SelectedEngine,
} from '@mai/lmstudio-adapter';
import { type EngineProfile, resolveEngineProfile, withKnownSettings } from '@mai/memory-estimator';
import type { RuntimeLink } from '../runtime/connect-runtime.js';
import { embeddedEngine } from './embedded-engine.js';
import type { LoadEngine } from './load-engine.js';

/**
 * The engine of a runtime. In LM Studio: which engine is selected, and the settings of its user. While LM Studio is off, both come from its
 * files.
 *
 * @param home - LM Studio's folder; null where it is on another machine, or was not found
 */
export async function readLoadEngine(
  link: RuntimeLink,
  home: LMStudioHome | null,
  signal: AbortSignal,
): Promise<LoadEngine> {
  if (link.runtime === 'embedded') return embeddedEngine(link, signal);
  const [asked, survey] =
    link.kind === 'on'
      ? await Promise.all([
          unlessRefused(link.client.selectedEngines({ signal })),
          // The GPUs of another machine are those of its survey already.
          link.client.host.isLocal ? unlessRefused(link.client.surveyHardware({ signal })) : null,
        ])
      : [null, null];
  const selected = asked ?? home?.engines;
  const gguf = selected?.find(({ format }) => format === 'gguf') ?? null;
  const withContext = withKnownSettings(
    profileOf(gguf),
    { contextLengthTokens: home?.defaultContextLengthTokens ?? null },
    'LM Studio’s settings.json',
  );
  const hardware = home?.hardware.find((one) => one.engine === gguf?.name) ?? null;
  const profile = withKnownSettings(
    withContext,
    { offloadsKvCache: hardware?.offloadKvCacheToGpu ?? null },
    'LM Studio’s hardware settings',
  );
  return {
    profile,
    selected: selected ?? [],
    seenGpus: survey === null ? null : seenGpusIn(survey, gguf),
    usesGpus: true,
    vectorInstructions: gguf === null ? true : namesVectorInstructions(gguf),
    threads: availableParallelism(),
    disabledGpus: disabledGpusOf(home?.hardware ?? [], gguf),
    hardware,
    mlxKvCache: null,
  };
}

/** LM Studio names a runtime for x64 by its instructions, e.g. `llama.cpp-linux-x86_64-avx2`. Null where an x64 name has none. */
function namesVectorInstructions({ name }: SelectedEngine): boolean | null {
  return /x64|x86/.test(name) && !name.includes('avx') ? null : true;
}

/**
 * The profile of an engine; the newest known profile where the engine's version is not a number, or begins with 0, as
 * no known runtime does.
 */
function profileOf(engine: SelectedEngine | null): EngineProfile {
  if (engine === null) return newestProfile();
  const { name, version } = engine;
  const numbers = /^[1-9]\d*(?:\.\d+){0,2}/.exec(version)?.[0] ?? null;
  if (numbers === null) return newestProfile();
  return resolveEngineProfile({
    engine: 'lmstudio',
    runtimeVersion: `${name}@${numbers}`,
    backend: null,
  });
}

/** LM Studio's newest known defaults. */
export function newestProfile(): EngineProfile {
  return resolveEngineProfile({ engine: 'lmstudio', runtimeVersion: null, backend: null });
}

/** The answer of LM Studio; null where it answers with an error, or too late. An estimate is possible without these facts. */
async function unlessRefused<Answer>(answer: Promise<Answer>): Promise<Answer | null> {
  try {
    return await answer;
  } catch (error) {
    if (isLMStudioError(error) && error.code !== 'UNREACHABLE') return null;
    throw error;
  }
}

/** The GPUs of a survey; null where the survey failed, or is that of another engine than the selected one. */
function seenGpusIn(
  { engine, gpus, problems }: HardwareSurvey,
  gguf: SelectedEngine | null,
): LoadEngine['seenGpus'] {
  const isOfSelected = engine !== null && (gguf === null || gguf.name === engine.name);
  return isOfSelected && problems.every(({ part }) => part === 'cpu') ? gpus : null;
}

/** The number of GPUs that are disabled for the engine, or for any engine where the engine is not known. */
function disabledGpusOf(
  hardware: readonly EngineHardware[],
  engine: SelectedEngine | null,
): number {
  const counts = hardware
    .filter((one) => engine === null || one.engine === engine.name)
    .map(({ gpuSplit }) => new Set(gpuSplit?.disabledGpus ?? []).size);
  return Math.max(0, ...counts);
}
