import { availableParallelism } from 'node:os';
import { findLMStudioHome, isLMStudioError } from '@mai/lmstudio-adapter';
import { resolveEngineProfile, type EngineProfile, type GpuBackend } from '@mai/memory-estimator';
import { HostError } from '../host-error.js';
import type { HostContext } from '../host-options.js';
import type { HostParts } from '../host-parts.js';
import type { LoadEngine } from './load-engine.js';
import { readLoadEngine } from './read-load-engine.js';

const RUNTIME_NAME = /^llama\.cpp-[^@\s]+@\d/;

/**
 * The engine of a name: `embedded`, `llama.cpp`, `llama.cpp@b9849`, `lmstudio`, `lmstudio@2.28.2`, or the whole name of a runtime
 * of LM Studio, with or without `lmstudio@` before it.
 *
 * @throws HostError `INVALID_REQUEST`
 */
export function engineNamed(name: string): LoadEngine {
  // LM Studio prints a runtime's whole name, such as llama.cpp-win-x86_64-nvidia-cuda12-avx2@2.28.2.
  const whole = RUNTIME_NAME.test(name) ? `lmstudio@${name}` : name;
  const [, engine, version] = /^(embedded$|llama\.cpp|lmstudio)(?:@(.+))?$/.exec(whole) ?? [];
  if (engine === undefined) {
    throw new HostError(
      'INVALID_REQUEST',
      `There is no engine ${JSON.stringify(name)}. Write embedded, llama.cpp, lmstudio, or lmstudio@ and the version of a runtime, such as lmstudio@2.28.2.`,
    );
  }
  try {
    const profile = profileOf(engine, version ?? null);
    return {
      profile,
      selected: [],
      disabledGpus: 0,
      seenGpus: null,
      usesGpus: true,
      hardware: null,
      mlxKvCache: null,
      vectorInstructions: true,
      threads: availableParallelism(),
    };
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new HostError('INVALID_REQUEST', error.message, { cause: error });
  }
}

function profileOf(engine: string, runtimeVersion: string | null): EngineProfile {
  if (engine === 'embedded') return resolveEngineProfile({ engine });
  if (engine === 'llama.cpp') return resolveEngineProfile({ engine, runtimeVersion });
  return resolveEngineProfile({ engine: 'lmstudio', runtimeVersion, backend: null });
}

/**
 * An engine of LM Studio with the back end that an estimate asks for, because some defaults depend on it. An engine whose back end
 * is known keeps it.
 */
export function onBackend(engine: LoadEngine, gpuBackend: GpuBackend | null): LoadEngine {
  const { profile } = engine;
  if (gpuBackend === null || profile.engine !== 'lmstudio' || profile.backend !== null)
    return engine;
  const { runtimeVersion, settings } = profile;
  const asked = resolveEngineProfile({ engine: 'lmstudio', runtimeVersion, backend: gpuBackend });
  // The user of LM Studio may have set these two.
  const { contextLengthTokens, offloadsKvCache } = settings;
  return {
    ...engine,
    profile: { ...asked, settings: { ...asked.settings, contextLengthTokens, offloadsKvCache } },
  };
}

/**
 * The engine that would load a file here: the engine that LM Studio names while it runs, or else the engine
 * that LM Studio's files name, or else the newest known engine.
 */
export async function engineHere(
  { runtime }: HostParts,
  { userHome, env, signal }: HostContext,
): Promise<LoadEngine> {
  try {
    const link = await runtime.link(signal);
    const isLocal = link.kind === 'off' || link.client.host.isLocal;
    const home = isLocal ? findLMStudioHome({ userHome, env }) : null;
    return await readLoadEngine(link, home, signal);
  } catch (error) {
    // An estimate of a file does not need LM Studio, so a refusal by LM Studio must not stop it.
    if (!isLMStudioError(error)) throw error;
    return readLoadEngine(
      { kind: 'off', runtime: 'lmstudio', reason: error },
      findLMStudioHome({ userHome, env }),
      signal,
    );
  }
}
