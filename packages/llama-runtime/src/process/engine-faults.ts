import path from 'node:path';
import { LlamaRuntimeError } from '../errors.js';
import { addressSpaceHint } from './system/address-space.js';
import { isFileRefused, loadFailureOf } from './load-failure.js';
import type { EngineSpec } from './messages.js';

/** How a process ended. */
export interface ProcessExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** The file was removed, or its folder unmounted, after the models were listed. */
const FILE_GONE = /^ENOENT\b/;

/** The error for a load that the engine refused. `MODEL_NOT_FOUND` where the file is gone. */
export function loadFailed(
  spec: EngineSpec,
  { message: given, outOfMemory }: { readonly message: string; readonly outOfMemory: boolean },
): LlamaRuntimeError {
  const { modelKey, instanceIdentifier } = spec;
  const message = withoutFolders(spec, given);
  if (FILE_GONE.test(message)) {
    return new LlamaRuntimeError(
      'MODEL_NOT_FOUND',
      `The file of ${modelKey} is gone: ${asSentence(message)} Bring it back, or choose another model.`,
      { modelKey, instanceIdentifier, serverMessage: message },
    );
  }
  return new LlamaRuntimeError(
    'LOAD_FAILED',
    `llama.cpp could not load ${modelKey}: ${asSentence(message)} ${
      outOfMemory
        ? (addressSpaceHint() ??
          'Unload something, or choose a smaller model or a shorter context.')
        : 'Check that the file is complete, or choose other load settings.'
    }`,
    {
      modelKey,
      instanceIdentifier,
      serverMessage: message,
      outOfMemory,
      fileRefused: !outOfMemory && isFileRefused(message),
    },
  );
}

/** The error for a part of the model that the engine refused, with the reason from its error output. */
export function refusedInLoad(spec: EngineSpec, what: string, output: string): LlamaRuntimeError {
  const { message, outOfMemory } = loadFailureOf(output);
  return loadFailed(spec, { message: `${what}: ${message}`, outOfMemory });
}

/**
 * The error for an engine that ended while it loaded its model. `output`: the end of its error output. The binding
 * does not report that llama.cpp could not load a model, but ends the process, so only the output
 * tells a refused model from a crash.
 */
export function endedInLoad(
  spec: EngineSpec,
  exit: ProcessExit,
  output: string,
): LlamaRuntimeError {
  const failure = loadFailureOf(output);
  if (REFUSED.test(output) || failure.outOfMemory) return loadFailed(spec, failure);
  const { modelKey, instanceIdentifier } = spec;
  // A killed process cannot write why it ends, so its last line is about a step that succeeded.
  const lastLine = exit.signal === 'SIGKILL' ? null : lastLineOf(withoutFolders(spec, output));
  const hint =
    exit.signal === 'SIGKILL'
      ? 'The system kills processes when memory runs out, so a smaller model or a shorter context may help.'
      : UNPARSED_TEMPLATE.test(lastLine ?? '')
        ? 'llama.cpp ends like this where it cannot parse the chat template of a model. Choose another file of the model.'
        : (addressSpaceHint() ?? 'Choose another model or other load settings.');
  return new LlamaRuntimeError(
    'ENGINE_CRASHED',
    `The engine process ended while it loaded ${modelKey} (${exitText(exit)})${lastLine === null ? '.' : `: ${asSentence(lastLine)}`} ${hint}`,
    {
      modelKey,
      instanceIdentifier,
      serverMessage: lastLine,
      exitSignal: exit.signal,
      exitCode: exit.code,
    },
  );
}

/** The text without the folders of the model's files: the gateway passes it on to clients on other machines. */
function withoutFolders({ file, projectorFile }: EngineSpec, text: string): string {
  return [file, projectorFile ?? file].reduce(
    (rest, one) => rest.replaceAll(one, path.basename(one)),
    text,
  );
}

/** Lines that llama.cpp prints after it has given up a load. */
const REFUSED =
  /(?:error loading|failed to load) model|failed to (?:create|initialize) (?:the )?context/i;

/** The last line where llama.cpp's parser of chat templates gives up: the exception has no text. */
const UNPARSED_TEMPLATE = /^what\(\):\s+std::exception$/;

/** The error for an engine process that could not be started. */
export function notStarted(
  { modelKey, instanceIdentifier }: EngineSpec,
  cause: Error,
): LlamaRuntimeError {
  return new LlamaRuntimeError(
    'LOAD_FAILED',
    `The engine process for ${modelKey} could not be started: ${asSentence(cause.message)} Close other programs, and try again.`,
    { modelKey, instanceIdentifier, cause },
  );
}

/** `signal SIGKILL` or `code 1`. */
export function exitText({ code, signal }: ProcessExit): string {
  return signal === null ? `code ${code ?? 'unknown'}` : `signal ${signal}`;
}

/** Text with a full stop at its end. */
export function asSentence(text: string): string {
  const trimmed = text.trim();
  return /[.!?]$/.test(trimmed) ? trimmed : `${trimmed}.`;
}

/** The last line with text; `null`: there is none. `[INFO]` lines do not count, because they are about successful steps. */
function lastLineOf(output: string): string | null {
  const lines = output.split(/\r?\n/).filter((line) => /\w/.test(line) && !/^\[INFO\]/.test(line));
  return lines.at(-1)?.trim() ?? null;
}
