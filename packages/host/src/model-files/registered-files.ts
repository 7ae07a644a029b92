import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import type { ResidentInstance } from '@mai/lmstudio-adapter';
import { errorCodeOf, isRecord } from '../guards.js';
import type { FactsReader } from './judge-file.js';
import type { ModelFiles } from './model-files.js';

/**
 * The files that an embedded engine has loaded, from the record of its process. The model of another Mai process can be
 * in a folder that this process does not search. Null where no record names the resident.
 */
export async function findRegisteredFiles(
  registry: string,
  { reference }: Pick<ResidentInstance, 'reference'>,
  readFacts: FactsReader,
): Promise<ModelFiles | null> {
  if (reference === null) return null;
  const records = await Promise.all(
    (await namesIn(registry)).map((name) => readRecord(path.join(registry, name))),
  );
  const spec = records.find((record) => record?.['reference'] === reference)?.['spec'];
  if (!isRecord(spec)) return null;
  const { file, projectorFile } = spec;
  if (typeof file !== 'string') return null;
  return {
    files: [file],
    format: 'gguf',
    findProjector: () => Promise.resolve(typeof projectorFile === 'string' ? projectorFile : null),
    facts: () => readFacts(file),
  };
}

async function namesIn(registry: string): Promise<readonly string[]> {
  try {
    return (await readdir(registry)).filter((name) => name.endsWith('.json'));
  } catch (error) {
    if (errorCodeOf(error) === 'ENOENT') return [];
    throw error;
  }
}

/** Null where the record was removed meanwhile, because its engine has ended, or is damaged. */
async function readRecord(file: string): Promise<Readonly<Record<string, unknown>> | null> {
  try {
    const record: unknown = JSON.parse(await readFile(file, 'utf8'));
    return isRecord(record) ? record : null;
  } catch (error) {
    if (error instanceof SyntaxError || errorCodeOf(error) === 'ENOENT') return null;
    throw error;
  }
}
