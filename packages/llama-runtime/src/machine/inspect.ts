import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { writeNoiseModel } from '../noise-model/write-noise-model.js';
import { forkChild, whenEnded } from '../process/engine-process.js';
import { codeOf } from '../process/system/process-identity.js';
import type {
  EngineDevice,
  FromInspector,
  GgufMetadata,
  InspectRequest,
} from './inspect-messages.js';

/** Deadline for each answer of an inspecting process. A file on a sleeping disk needs seconds. */
const ANSWER_DEADLINE_MS = 20_000;

/** The answers of one inspecting process. */
interface Answers {
  devices: readonly EngineDevice[] | null;
  readonly files: Map<string, GgufMetadata | null>;
  systemInfo: string | null;
}

/** A file of 1 MiB, which llama.cpp loads in about 20 ms. */
const SMALL_MODEL = { layers: 1, width: 256, vocabularySize: 259 };

/**
 * Asks llama.cpp, in a child process, for devices and for the metadata of GGUF files. A broken file can end the child
 * process. Another process then reads the rest.
 */
export class Inspector {
  /** Metadata by path, size and time of change. */
  readonly #known = new Map<string, GgufMetadata | null>();
  #devices: readonly EngineDevice[] | null = null;

  constructor(private readonly script: string) {}

  /** The devices; empty where the binding could not be loaded. */
  async devices(signal?: AbortSignal): Promise<readonly EngineDevice[]> {
    this.#devices ??= (await this.#ask([], signal)).devices;
    return this.#devices ?? [];
  }

  /**
   * llama.cpp's description of its build. `null`: the binding cannot be loaded, or the folder for temporary files has no room for a
   * file of 1 MiB.
   */
  async systemInfo(signal?: AbortSignal): Promise<string | null> {
    let folder: string | null = null;
    try {
      folder = await mkdtemp(path.join(tmpdir(), 'mai-engine-'));
      const smallModel = path.join(folder, 'small.gguf');
      await writeNoiseModel(smallModel, SMALL_MODEL);
      return (await this.#ask([], signal, smallModel)).systemInfo;
    } catch (error) {
      // The folder for temporary files is full or cannot be written.
      if (signal?.aborted !== true && codeOf(error) !== null) return null;
      throw error;
    } finally {
      if (folder !== null) await rm(folder, { recursive: true, force: true });
    }
  }

  /** The metadata of each file; `null` for a file that llama.cpp cannot read. */
  async metadata(
    files: readonly string[],
    signal?: AbortSignal,
  ): Promise<ReadonlyMap<string, GgufMetadata | null>> {
    const stamps = new Map<string, string>();
    for (const file of files) stamps.set(file, await stampOf(file));
    const isKnown = (file: string): boolean => this.#known.has(stamps.get(file) ?? '');
    let open = files.filter((file) => !isKnown(file));
    let suspect: string | null = null;
    while (open.length > 0) {
      const { devices, files: answered } = await this.#ask(open, signal);
      this.#devices ??= devices;
      for (const [file, metadata] of answered) this.#known.set(stamps.get(file) ?? file, metadata);
      const unanswered = open.find((file) => !isKnown(file));
      // A process can also be killed from outside, so only a file that ends two processes is unreadable.
      if (unanswered !== undefined && unanswered === suspect) {
        this.#known.set(stamps.get(unanswered) ?? unanswered, null);
      }
      suspect = unanswered ?? null;
      open = open.filter((file) => !isKnown(file));
    }
    return new Map(
      files.map((file) => [file, this.#known.get(stamps.get(file) ?? '') ?? null] as const),
    );
  }

  #ask(
    files: readonly string[],
    signal: AbortSignal | undefined,
    smallModel: string | null = null,
  ): Promise<Answers> {
    signal?.throwIfAborted();
    const child = forkChild(this.script);
    child.stderr?.resume();
    const answers: Answers = { devices: null, files: new Map(), systemInfo: null };
    let timer: NodeJS.Timeout | undefined;
    const restart = (): void => {
      clearTimeout(timer);
      timer = setTimeout(() => child.kill('SIGKILL'), ANSWER_DEADLINE_MS);
    };
    restart();
    child.on('message', (message: unknown) => {
      if (!isFromInspector(message)) return;
      restart();
      if (message.type === 'devices') answers.devices = message.devices;
      else if (message.type === 'file') answers.files.set(message.file, message.metadata);
      else answers.systemInfo = message.systemInfo;
    });
    const onAbort = (): void => void child.kill('SIGKILL');
    signal?.addEventListener('abort', onAbort, { once: true });
    const request: InspectRequest = { type: 'inspect', files, smallModel };
    if (child.connected) child.send(request, () => undefined);
    return whenEnded(child, 'close').then(() => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      signal?.throwIfAborted();
      return answers;
    });
  }
}

/** The child is a program of this package, so the type names the fields. */
function isFromInspector(message: unknown): message is FromInspector {
  return typeof message === 'object' && message !== null && 'type' in message;
}

async function stampOf(file: string): Promise<string> {
  const facts = await stat(file).catch(() => null);
  return JSON.stringify([file, facts?.size, facts?.mtimeMs]);
}
