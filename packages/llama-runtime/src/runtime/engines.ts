import { endForeign } from '../process/end-foreign.js';
import type { EngineProcess } from '../process/engine-process.js';
import { type EngineRecord, readRecords, removeRecord, writeRecord } from '../process/registry.js';
import { LlamaRuntimeError } from '../errors.js';
import { observe } from './residents.js';
import type { ResidentInstance } from './resident-types.js';

/** An engine that this runtime has started. */
interface OwnEngine {
  readonly record: EngineRecord;
  readonly process: EngineProcess;
}

function notRegistered({ spec }: EngineRecord, folder: string, cause: unknown): LlamaRuntimeError {
  const { modelKey, instanceIdentifier } = spec;
  const why = cause instanceof Error ? cause.message : String(cause);
  return new LlamaRuntimeError(
    'LOAD_FAILED',
    `${modelKey} was unloaded again, because its engine could not be registered in ${folder}: ${why}. Make the folder writable, or choose another state folder.`,
    { modelKey, instanceIdentifier, cause },
  );
}

/** A resident with the record of its engine. */
export interface ObservedEngine {
  readonly record: EngineRecord;
  readonly instance: ResidentInstance;
}

/**
 * The engines that run: those of this runtime, and those that other processes of this user have registered in the
 * state folder.
 */
export class Engines {
  readonly #own = new Map<string, OwnEngine>();
  /** The records of other processes' engines, as of the last list. */
  #foreign: readonly EngineRecord[] = [];

  /** @param folder - the state folder; `null`: engines are not registered, and others' are not seen */
  constructor(private readonly folder: string | null) {}

  /** Keeps an engine until its process ends, and registers it. */
  async add(record: EngineRecord, process: EngineProcess): Promise<void> {
    this.#own.set(record.reference, { record, process });
    const { folder } = this;
    const written = folder === null ? Promise.resolve() : writeRecord(folder, record);
    void process.exited.then(async () => {
      this.#own.delete(record.reference);
      if (folder === null) return;
      await written.catch(() => undefined);
      // A file that stays is removed by the next process that reads the folder.
      await removeRecord(folder, record.pid).catch(() => undefined);
    });
    await written.catch((cause: unknown) => {
      throw notRegistered(record, folder ?? '', cause);
    });
  }

  /** Every resident, the oldest first. Engines that are gone are left out. */
  async observe(signal?: AbortSignal): Promise<readonly ObservedEngine[]> {
    const records = await this.#records();
    const observed = await Promise.all(
      records.map(async (record) => ({ record, instance: await observe(record, signal) })),
    );
    return observed
      .flatMap(({ record, instance }) => (instance === null ? [] : [{ record, instance }]))
      .sort((a, b) => a.record.loadedAtMs - b.record.loadedAtMs);
  }

  /** The records of the engines, without asking them. */
  async #records(): Promise<readonly EngineRecord[]> {
    const registered = this.folder === null ? [] : await readRecords(this.folder);
    this.#foreign = registered.filter(({ reference }) => !this.#own.has(reference));
    return this.known();
  }

  /** The records as of the last list, and those of this runtime's own engines. */
  known(): readonly EngineRecord[] {
    return [...[...this.#own.values()].map(({ record }) => record), ...this.#foreign];
  }

  /** The record of an instance; `null`: no resident has this identifier. */
  async find(instanceIdentifier: string): Promise<EngineRecord | null> {
    const records = await this.#records();
    return records.find(({ spec }) => spec.instanceIdentifier === instanceIdentifier) ?? null;
  }

  /** Ends an engine. Resolves when its process is gone. @throws LlamaRuntimeError `TIMED_OUT` */
  async end(record: EngineRecord): Promise<void> {
    const own = this.#own.get(record.reference);
    if (own !== undefined) {
      await own.process.end();
      this.#own.delete(record.reference);
    } else if (!(await endForeign(record))) {
      const { instanceIdentifier, modelKey } = record.spec;
      throw new LlamaRuntimeError(
        'TIMED_OUT',
        `The engine process ${record.pid} of '${instanceIdentifier}' was killed, but has not ended yet. Look at the process before you load another model.`,
        { instanceIdentifier, modelKey },
      );
    }
    if (this.folder !== null) await removeRecord(this.folder, record.pid);
  }

  /** Ends every engine of this runtime. */
  async endOwn(): Promise<void> {
    await Promise.all([...this.#own.values()].map(({ record }) => this.end(record)));
  }
}
