import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** The programs of this package's child processes, as absolute paths. */
export interface EngineScripts {
  /** Loads a model and serves it. */
  readonly engine: string;
  /** Names devices, and reads the metadata of files. */
  readonly inspect: string;
}

/** Finds the programs beside the bundle, or one folder up if the bundle was split into chunks. */
export function findScripts(): EngineScripts {
  return { engine: find('engine-child'), inspect: find('inspect-child') };
}

function find(program: string): string {
  const self = import.meta.url;
  const name = `${program}${self.endsWith('.cjs') ? '.cjs' : '.js'}`;
  const places = [`./${name}`, `../${name}`].map((place) => fileURLToPath(new URL(place, self)));
  const found = places.find((place) => existsSync(place));
  if (found === undefined) throw new Error(`${name} is missing beside @mai/llama-runtime.`);
  return found;
}
