import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { NoiseModelShape } from '../src/noise-model/noise-model-shape.js';
import { writeNoiseModel } from '../src/noise-model/write-noise-model.js';
import type { EngineFacts, EngineSpec, FromEngine } from '../src/process/messages.js';
import { buildPrograms } from './programs.js';

/** A model that answers in a fraction of a millisecond a token. */
const TINY: NoiseModelShape = { layers: 2, width: 256 };
const TOKEN = 'a-token-of-the-tests';

/** A running engine process and its HTTP server. */
export interface TestEngine {
  readonly child: ChildProcess;
  readonly facts: EngineFacts;
  readonly baseUrl: string;
  readonly token: string;
  /** All messages of the process, in order. */
  readonly messages: readonly FromEngine[];
  readonly post: (path: string, body: unknown, init?: RequestInit) => Promise<Response>;
  readonly get: (path: string, init?: RequestInit) => Promise<Response>;
}

/** Builds the program once, writes models, and ends every process at the end of the file. */
export class TestEngines {
  readonly #children = new Set<ChildProcess>();
  #folder = '';
  #program = '';
  #dispose: () => PromiseLike<void> = () => Promise.resolve();

  async open(): Promise<void> {
    this.#folder = await mkdtemp(path.join(tmpdir(), 'mai-engine-'));
    const programs = await buildPrograms();
    this.#program = programs.scripts.engine;
    this.#dispose = () => programs[Symbol.asyncDispose]();
  }

  /** Folder for the models of the test. */
  get folder(): string {
    return this.#folder;
  }

  async close(): Promise<void> {
    for (const child of this.#children) child.kill('SIGKILL');
    await this.#dispose();
    await rm(this.#folder, { recursive: true, force: true });
  }

  async writeModel(name: string, shape: NoiseModelShape = TINY): Promise<string> {
    const file = path.join(this.#folder, `${name}.gguf`);
    await writeNoiseModel(file, shape);
    return file;
  }

  fork(): ChildProcess {
    const child = fork(this.#program, [], { stdio: ['ignore', 'ignore', 'pipe', 'ipc'] });
    this.#children.add(child);
    return child;
  }

  /** Starts an engine. Fails where the process does not become ready. */
  async start(file: string, changes: Partial<EngineSpec> = {}): Promise<TestEngine> {
    const child = this.fork();
    child.stderr?.resume();
    const messages: FromEngine[] = [];
    const ready = new Promise<Extract<FromEngine, { type: 'ready' }>>((resolve, reject) => {
      child.on('message', (message: FromEngine) => {
        messages.push(message);
        if (message.type === 'ready') resolve(message);
        if (message.type === 'failed') reject(new Error(message.message));
      });
      void once(child, 'exit').then(([code]) => reject(new Error(`ended with ${String(code)}`)));
    });
    child.send({ type: 'load', spec: specOf(file, changes) });
    const { port, facts } = await ready;
    const baseUrl = `http://127.0.0.1:${port}`;
    const headers = { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' };
    return {
      child,
      facts,
      baseUrl,
      messages,
      token: TOKEN,
      post: (url, body, init) =>
        fetch(baseUrl + url, { method: 'POST', headers, body: JSON.stringify(body), ...init }),
      get: (url, init) => fetch(baseUrl + url, { headers, ...init }),
    };
  }
}

export function specOf(file: string, changes: Partial<EngineSpec> = {}): EngineSpec {
  return {
    file,
    projectorFile: null,
    nonCausalImages: false,
    kind: 'llm',
    modelKey: 'noise/tiny',
    instanceIdentifier: 'tiny',
    contextLengthTokens: 1024,
    parallelSequences: 2,
    kvCacheTypeK: 'f16',
    kvCacheTypeV: 'f16',
    flashAttention: null,
    gpuLayers: 0,
    cpuExpertLayers: 0,
    locksWeights: false,
    threads: 1,
    token: TOKEN,
    ...changes,
  };
}

/** The parsed body. Its type is `any`, so that a test can read the fields that it checks. */
export async function bodyOf(response: Response) {
  return JSON.parse(await response.text());
}

/** The data of server-sent events, parsed; `{ done: true }` for `[DONE]`. */
export async function eventsOf(response: Response) {
  const text = await response.text();
  return text
    .split('\n')
    .filter((line) => line.startsWith('data: '))
    .map((line) => JSON.parse(line === 'data: [DONE]' ? '{"done":true}' : line.slice(6)));
}
