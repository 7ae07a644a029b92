import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { autopilotFilesOf } from './autopilot-files.js';
import { errorCodeOf, isRecord } from '../guards.js';
import type { HostContext } from '../host-options.js';
import { replaceFile } from '../files/replace-file.js';
import type { RuntimeLink } from './connect-runtime.js';

/**
 * The models that LM Studio last loaded with a longer context than Mai asked for. LM Studio is expected to do the same
 * at the next load, so each new load is charged the longer context. Otherwise a load that fits only with the shorter
 * context would be repeated again and again. Kept in a file, because each `mai select --load` is its own process.
 */
export interface GivenContexts {
  /** The longer context in tokens; null where LM Studio gave what was asked for, or where that load was more than a day ago. */
  longer(modelKey: string): Promise<number | null>;
  /** Notes the result of a load. */
  record(modelKey: string, askedTokens: number | null, gotTokens: number | null): Promise<void>;
}

/** After this time a load is planned as asked again: the user may have changed LM Studio's settings. */
const FORGET_AFTER_MS = 86_400_000;

interface Given {
  readonly tokens: number;
  readonly atMs: number;
}

/** Opens the file of one LM Studio. While LM Studio is off, nothing is known. */
export function openGivenContexts(context: HostContext, link: RuntimeLink): GivenContexts {
  if (link.kind === 'off') {
    return { longer: () => Promise.resolve(null), record: () => Promise.resolve() };
  }
  const { folder } = autopilotFilesOf(context, link);
  const file = path.join(folder, 'contexts.json');
  let known: Promise<ReadonlyMap<string, Given>> | null = null;
  const read = (): Promise<ReadonlyMap<string, Given>> => (known ??= readGiven(file));
  const longer = async (modelKey: string): Promise<number | null> => {
    const given = (await read()).get(modelKey);
    return given === undefined || context.clock.nowMs() - given.atMs > FORGET_AFTER_MS
      ? null
      : given.tokens;
  };
  return {
    longer,
    record: async (modelKey, askedTokens, gotTokens) => {
      const given = new Map(await readGiven(file));
      const isLonger = askedTokens !== null && gotTokens !== null && gotTokens > askedTokens;
      if (!isLonger && !given.has(modelKey)) return;
      if (isLonger) given.set(modelKey, { tokens: gotTokens, atMs: context.clock.nowMs() });
      else given.delete(modelKey);
      known = Promise.resolve(given);
      try {
        await replaceFile(file, JSON.stringify(Object.fromEntries(given)));
      } catch (error) {
        // The load itself has succeeded.
        if (errorCodeOf(error) === null) throw error;
        context.warn(`The context that LM Studio gave could not be noted in ${file}.`);
      }
    },
  };
}

/** Empty where the file does not exist or is damaged: then each load is planned as asked. */
async function readGiven(file: string): Promise<ReadonlyMap<string, Given>> {
  const text = await readFile(file, 'utf8').catch(() => '{}');
  const given = new Map<string, Given>();
  for (const [modelKey, entry] of Object.entries(parse(text))) {
    if (!isRecord(entry)) continue;
    const { tokens, atMs } = entry;
    if (typeof tokens === 'number' && typeof atMs === 'number')
      given.set(modelKey, { tokens, atMs });
  }
  return given;
}

function parse(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) ? value : {};
  } catch {
    return {};
  }
}
