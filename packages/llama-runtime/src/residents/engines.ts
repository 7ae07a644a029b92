import { endForeign } from '../process/end-foreign.js';
import { exitText } from '../process/engine-faults.js';
import type { EngineProcess } from '../process/engine-process.js';
import { lockLoads } from '../process/load-lock.js';
import type { EngineSpec } from '../process/messages.js';
import {
  type EngineProcesses,
  type EngineRecord,
  readRecords,
  removeRecord,
  writeLoading,
  writeRecord,
} from './registry.js';
import { notify } from '../notify.js';
import { LlamaRuntimeError } from '../errors.js';
import { observe } from './residents.js';
import { watchHang } from './watch-hang.js';
import type { ResidentInstance } from './resident-types.js';

/** An engine that this runtime has started. */
interface OwnEngine {
  readonly record: EngineRecord;
  readonly process: EngineProcess;
}

function notRegistered(
  { modelKey, instanceIdentifier }: Pick<EngineSpec, 'modelKey' | 'instanceIdentifier'>,
  folder: string,
  cause: unknown,
): LlamaRuntimeError {
  const why = cause instanceof Error ? cause.message : String(cause);
  return new LlamaRuntimeError(
    'LOAD_FAILED',
    `${modelKey} is not loaded, because its engine could not be registered in ${folder}: ${why}. Make the folder writable, or choose another state folder.`,
    { modelKey, instanceIdentifier, cause },
  );
}

/** A resident with the record of its engine. */
export interface ObservedEngine {
  readonly record: EngineRecord;
  readonly instance: ResidentInstance;
}

/** An engine that ended although this runtime has not unloaded it. */
export interface EndedEngine {
  readonly instanceIdentifier: string;
  readonly modelKey: string;
  /**
   * How its process ended: `signal SIGKILL`, `code 0` where another process has unloaded it, or
   * `killed after 30 s without an answer`.
   */
  readonly how: string;
  /** `false`: another process has unloaded it. */
  readonly crashed: boolean;
}

/**
 * The engines that run: those of this runtime, and those that other processes of this user have registered in the
 * state folder.
 */
export class Engines {
  readonly #own = new Map<string, OwnEngine>();
  readonly #listeners = new Set<(ended: EndedEngine) => void>();
  /** The records of other processes' engines, as of the last list. */
  #foreign: readonly EngineRecord[] = [];

  /**
   * @param folder - the state folder; `null`: engines are not registered, and others' are not seen
   * @param healthIntervalMs - as in `LlamaRuntimeOptions`
   */
  constructor(
    private readonly folder: string | null,
    private readonly healthIntervalMs: number,
  ) {}

  /**
   * Registers an engine that begins to load. Returns a function that removes the record where the load fails.
   *
   * @throws LlamaRuntimeError `LOAD_FAILED` where the state folder cannot be written
   */
  async begin(
    spec: Pick<EngineSpec, 'modelKey' | 'instanceIdentifier'>,
    processes: EngineProcesses,
  ): Promise<() => Promise<void>> {
    const { folder } = this;
    if (folder === null) return () => Promise.resolve();
    await writeLoading(folder, processes).catch((cause: unknown) => {
      throw notRegistered(spec, folder, cause);
    });
    return () => removeRecord(folder, processes.pid);
  }

  /** Keeps an engine until its process ends, registers it, and kills it where it hangs. */
  async add(record: EngineRecord, process: EngineProcess): Promise<void> {
    let hung: string | null = null;
    const stopWatch = watchHang(record, this.healthIntervalMs, (how) => {
      hung = how;
      process.kill();
    });
    this.#own.set(record.reference, { record, process });
    const { folder } = this;
    const written = folder === null ? Promise.resolve() : writeRecord(folder, record);
    void process.exited.then(async (exit) => {
      stopWatch();
      this.#own.delete(record.reference);
      if (!process.isEnding) {
        this.#tell(record, { how: hung ?? exitText(exit), crashed: exit.code !== 0 });
      }
      if (folder === null) return;
      await written.catch(() => undefined);
      await removeRecord(folder, record.pid);
    });
    await written.catch((cause: unknown) => {
      throw notRegistered(record.spec, folder ?? '', cause);
    });
  }

  /**
   * Runs a load while no other process of this user loads a model.
   *
   * @throws what `run` throws; the signal's reason; LlamaRuntimeError `LOAD_FAILED` where the state folder cannot be written
   */
  async whileAlone<T>(
    spec: Pick<EngineSpec, 'modelKey' | 'instanceIdentifier'>,
    signal: AbortSignal,
    run: () => Promise<T>,
  ): Promise<T> {
    const { folder } = this;
    if (folder === null) return run();
    const unlock = await lockLoads(folder, signal).catch((error: unknown) => {
      signal.throwIfAborted();
      throw notRegistered(spec, folder, error);
    });
    try {
      return await run();
    } finally {
      await unlock();
    }
  }

  /** Calls a listener when an engine of this runtime ends although it was not unloaded. Returns a function that stops this. */
  onEnded(listener: (ended: EndedEngine) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #tell(
    { spec: { instanceIdentifier, modelKey } }: EngineRecord,
    end: Pick<EndedEngine, 'how' | 'crashed'>,
  ): void {
    for (const listener of this.#listeners) {
      notify(listener, { instanceIdentifier, modelKey, ...end });
    }
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
