import { type ChildProcess, fork } from 'node:child_process';
import { Socket } from 'node:net';
import {
  endedInLoad,
  loadFailed,
  notStarted,
  refusedInLoad,
  type ProcessExit,
} from './engine-faults.js';
import type { EngineFacts, EngineSpec, FromEngine, ToEngine } from './messages.js';
import { findProcess } from './system/process-identity.js';

/** A process and its start time. */
export interface StartedProcess {
  readonly pid: number;
  /** As of `findProcess` before the load; `null`: not known. */
  readonly startTime: string | null;
}

/** A child process that has loaded its model. */
export interface EngineProcess extends StartedProcess {
  readonly port: number;
  readonly facts: EngineFacts;
  /** Resolves when the process has ended. */
  readonly exited: Promise<ProcessExit>;
  /** Whether `end` was called. */
  readonly isEnding: boolean;
  /** Asks the engine to stop, and kills it where it does not. Resolves when the process is gone. */
  end(): Promise<void>;
  /** Ends the process with SIGKILL at once. It counts as an end that nobody has asked for. */
  kill(): void;
}

/** The inputs of a load. */
export interface EngineStart {
  /** Absolute path of the child's program. */
  readonly script: string;
  readonly spec: EngineSpec;
  /**
   * Registers the process. The load begins when the promise resolves, and fails where it rejects. Where the load fails, the
   * returned function is called when the process is gone.
   */
  readonly register: (process: StartedProcess) => Promise<() => Promise<void>>;
  /** Kills the process during the load. The load rejects with the signal's reason when the process is gone. */
  readonly signal: AbortSignal;
  readonly onProgress: (ratio: number) => void;
}

/** Time for an engine to cancel its requests and to end by itself. */
export const STOP_GRACE_MS = 1500;
/** Delay between SIGTERM and SIGKILL. */
export const TERMINATE_GRACE_MS = 500;
/** Characters of an engine's error output that are kept for the message about a crash. */
const OUTPUT_KEPT = 4000;

/**
 * Starts a child process and loads a model in it.
 *
 * @throws LlamaRuntimeError `LOAD_FAILED` where llama.cpp refuses the model or has no memory for it;
 *   `ENGINE_CRASHED` where the process ends before the model is loaded; what `register` rejects with. No process is left then.
 */
export async function startEngine(start: EngineStart): Promise<EngineProcess> {
  start.signal.throwIfAborted();
  const child = forkChild(start.script);
  const exited = whenEnded(child);
  const pid = child.pid ?? 0;
  const registered = register(pid, start);
  try {
    const { port, facts } = await loaded(child, start, registered);
    const { startTime } = await registered;
    letGo(child);
    let ending: Promise<void> | undefined;
    return {
      pid,
      startTime,
      port,
      facts,
      exited,
      get isEnding() {
        return ending !== undefined;
      },
      end: () => (ending ??= endChild(child, exited)),
      kill: () => void child.kill('SIGKILL'),
    };
  } catch (error) {
    child.kill('SIGKILL');
    await exited;
    // Where the registration has failed, `error` is its reason.
    await (await registered.catch(() => null))?.unregister();
    throw error;
  }
}

async function register(
  pid: number,
  { register: add }: EngineStart,
): Promise<Pick<StartedProcess, 'startTime'> & { readonly unregister: () => Promise<void> }> {
  // A process that could not be started has no number.
  if (pid === 0) return { startTime: null, unregister: () => Promise.resolve() };
  const startTime = (await findProcess(pid))?.startTime ?? null;
  return { startTime, unregister: await add({ pid, startTime }) };
}

/** Starts one of this package's programs as a child process that talks by messages. */
export function forkChild(script: string): ChildProcess {
  const child = fork(script, [], {
    // The options of this process, such as a debugger's port, are not for the child.
    execArgv: [],
    // The binding always prints to stdout and stderr. Its output may contain prompts, so it is not passed on.
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    // A process group of its own, so that Ctrl-C in the terminal reaches only this process. On Windows this option
    // would open a console window.
    detached: process.platform !== 'win32',
  });
  // Without a listener, a failed start or a failed message would end this process.
  child.on('error', () => undefined);
  return child;
}

/**
 * Resolves when the process is gone, also where it could not be started.
 *
 * @param event - `close` comes after the last message of the process, which can be gone before its messages are read
 */
export function whenEnded(
  child: ChildProcess,
  event: 'exit' | 'close' = 'exit',
): Promise<ProcessExit> {
  return new Promise((resolve) => {
    child.once(event, (code: number | null, signal: NodeJS.Signals | null) =>
      resolve({ code, signal }),
    );
    child.once('error', () => {
      if (child.pid === undefined) resolve({ code: null, signal: null });
    });
  });
}

/** Settles with the engine's answer to the load, or when the process ends, or when the load is cancelled. */
function loaded(
  child: ChildProcess,
  { spec, signal, onProgress }: EngineStart,
  registered: Promise<unknown>,
): Promise<{ readonly port: number; readonly facts: EngineFacts }> {
  let output = '';
  let refused: string | null = null;
  child.stderr?.setEncoding('utf8');
  const onOutput = (text: string): void => {
    output = (output + text).slice(-OUTPUT_KEPT);
  };
  child.stderr?.on('data', onOutput);
  let detach = (): void => undefined;
  return new Promise<{ readonly port: number; readonly facts: EngineFacts }>((resolve, reject) => {
    const onAbort = (): void => reject(signal.reason);
    const onMessage = (message: unknown): void => {
      if (!isFromEngine(message)) return;
      if (message.type === 'progress') onProgress(message.ratio);
      else if (message.type === 'ready') resolve(message);
      else if (message.type !== 'failed') return;
      else if (message.reasonInOutput) refused = message.message;
      else reject(loadFailed(spec, message));
    };
    const onError = (cause: Error): void => reject(notStarted(spec, cause));
    // Unlike `exit`, `close` comes after the last line of output, which says why the process ended.
    const onClose = (code: number | null, exitSignal: NodeJS.Signals | null): void =>
      reject(
        refused === null
          ? endedInLoad(spec, { code, signal: exitSignal }, output)
          : refusedInLoad(spec, refused, output),
      );
    detach = (): void => {
      signal.removeEventListener('abort', onAbort);
      child.off('message', onMessage);
      child.off('error', onError);
      child.off('close', onClose);
      child.stderr?.off('data', onOutput);
      // Without a reader, a full pipe would block the engine.
      child.stderr?.resume();
    };
    signal.addEventListener('abort', onAbort, { once: true });
    child.on('message', onMessage);
    child.once('error', onError);
    child.once('close', onClose);
    registered.then(() => sendTo(child, { type: 'load', spec }), reject);
  }).finally(() => detach());
}

/** The child is a program of this package, so the type names the fields. */
function isFromEngine(message: unknown): message is FromEngine {
  return typeof message === 'object' && message !== null && 'type' in message;
}

/** Lets this process end while the engine runs. The engine then ends itself. */
function letGo(child: ChildProcess): void {
  child.unref();
  child.channel?.unref();
  if (child.stderr instanceof Socket) child.stderr.unref();
}

async function endChild(child: ChildProcess, exited: Promise<ProcessExit>): Promise<void> {
  child.ref();
  sendTo(child, { type: 'stop' });
  if (await endsWithin(exited, STOP_GRACE_MS)) return;
  child.kill('SIGTERM');
  if (await endsWithin(exited, TERMINATE_GRACE_MS)) return;
  // Also ends a stopped process.
  child.kill('SIGKILL');
  await exited;
}

async function endsWithin(exited: Promise<ProcessExit>, ms: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((resolve) => {
    timer = setTimeout(() => resolve(false), ms);
  });
  try {
    return await Promise.race([exited.then(() => true), late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Sends a message. A failure is ignored, because it means that the process has ended, which `exited` reports. */
function sendTo(child: ChildProcess, message: ToEngine): void {
  if (child.connected) child.send(message, () => undefined);
}
