import { mkdir, readFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import path from 'node:path';
import type { Inspector } from './inspect.js';
import { codeOf } from '../process/system/process-identity.js';
import { replaceFile } from '../process/replace-file.js';
import type { InstalledEngine } from './survey.js';
import { usesVectorInstructions } from './vector-instructions.js';

/** A fact that does not change while a build and a CPU stay the same. */
interface BuildFacts {
  /** The build and the CPU. */
  readonly build: string;
  readonly vectorInstructions: boolean;
}

/**
 * Returns a function that says whether a build of llama.cpp uses vector instructions of the CPU; `null` where llama.cpp could not be
 * asked. A process that loads a small model asks it once and keeps the answer in the folder for all processes of this user. Every
 * build for Arm uses vector instructions, so it is not asked.
 *
 * @param folder - where the answer is kept; `null`: only in this process
 */
export function vectorInstructionsOf(
  { name, version }: InstalledEngine,
  inspector: Pick<Inspector, 'systemInfo'>,
  folder: string | null,
): (signal: AbortSignal) => Promise<boolean | null> {
  const build = `${name} ${version} ${cpus()[0]?.model ?? ''}`;
  const file = folder === null ? null : path.join(folder, 'build-facts');
  let known: boolean | null | undefined = process.arch === 'arm64' ? true : undefined;
  return async (signal) => {
    if (known !== undefined) return known;
    const kept = file === null ? null : await read(file);
    if (kept?.build === build) return (known = kept.vectorInstructions);
    const systemInfo = await inspector.systemInfo(signal);
    known = systemInfo === null ? null : usesVectorInstructions(systemInfo);
    if (file !== null && known !== null) await write(file, { build, vectorInstructions: known });
    return known;
  };
}

/** Reads the kept facts; `null` where the file does not exist or is damaged. llama.cpp is then asked again. */
async function read(file: string): Promise<BuildFacts | null> {
  const text = await readFile(file, 'utf8').catch(() => '');
  try {
    const facts: unknown = JSON.parse(text);
    return isBuildFacts(facts) ? facts : null;
  } catch {
    return null;
  }
}

function isBuildFacts(value: unknown): value is BuildFacts {
  return (
    typeof value === 'object' &&
    value !== null &&
    'build' in value &&
    typeof value.build === 'string' &&
    'vectorInstructions' in value &&
    typeof value.vectorInstructions === 'boolean'
  );
}

/** Without a place for the file, each process asks for itself, which costs about 150 ms. */
async function write(file: string, facts: BuildFacts): Promise<void> {
  try {
    await mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
    await replaceFile(file, JSON.stringify(facts));
  } catch (error) {
    if (codeOf(error) === null) throw error;
  }
}
