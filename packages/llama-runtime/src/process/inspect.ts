import { stat } from 'node:fs/promises';
import { asRejection, forkChild, whenExited } from './engine-process.js';
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
}

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

  #ask(files: readonly string[], signal: AbortSignal | undefined): Promise<Answers> {
    signal?.throwIfAborted();
    const child = forkChild(this.script);
    child.stderr?.resume();
    const answers: Answers = { devices: null, files: new Map() };
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
      else answers.files.set(message.file, message.metadata);
    });
    const onAbort = (): void => void child.kill('SIGKILL');
    signal?.addEventListener('abort', onAbort, { once: true });
    const request: InspectRequest = { type: 'inspect', files };
    if (child.connected) child.send(request, () => undefined);
    return whenExited(child).then(() => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', onAbort);
      if (signal?.aborted === true) throw asRejection(signal.reason);
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
