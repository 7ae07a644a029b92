import { availableParallelism } from 'node:os';
import {
  type EngineHardware,
  isLMStudioError,
  type LMStudioClient,
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
  const selected =
    (link.kind === 'on' ? await askForEngines(link.client, signal) : null) ?? home?.engines;
  const gguf = selected?.find(({ format }) => format === 'gguf') ?? null;
  const profile = withKnownSettings(
    profileOf(gguf),
    { contextLengthTokens: home?.defaultContextLengthTokens ?? null },
    'LM Studio’s settings.json',
  );
  return {
    profile,
    selected: selected ?? [],
    usesGpus: true,
    vectorInstructions: gguf === null ? true : namesVectorInstructions(gguf),
    threads: availableParallelism(),
    disabledGpus: disabledGpusOf(home?.hardware ?? [], gguf),
    hardware: home?.hardware.find((one) => one.engine === gguf?.name) ?? null,
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

async function askForEngines(
  client: LMStudioClient,
  signal: AbortSignal,
): Promise<readonly SelectedEngine[] | null> {
  try {
    return await client.selectedEngines({ signal });
  } catch (error) {
    // An estimate is possible without the engine's version.
    if (isLMStudioError(error) && error.code !== 'UNREACHABLE') return null;
    throw error;
  }
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
