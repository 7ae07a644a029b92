import { addressSpaceText } from '@mai/host';

/** Every exit code of `mai`. Scripts depend on these numbers, so they never change. */
export const EXIT = {
  success: 0,
  bug: 1,
  usage: 2,
  nothingFits: 3,
  lmStudioUnavailable: 4,
  lmStudioRefused: 5,
  probe: 6,
  modelFile: 7,
  autopilot: 8,
  fault: 9,
  gateway: 10,
  outputFailed: 11,
  hungUp: 129,
  interrupted: 130,
  terminated: 143,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

const UNAVAILABLE = /^(?:UNREACHABLE|UNAUTHORIZED|INCOMPATIBLE|TIMED_OUT|ENGINE_MISSING)$/;
/** The exit code for an error of a runtime. */
const runtimeExit = (code: string): ExitCode =>
  UNAVAILABLE.test(code) ? EXIT.lmStudioUnavailable : EXIT.lmStudioRefused;

/** The other codes of `HostError` concern the autopilot and get its exit code. */
const EXIT_BY_HOST_CODE: Readonly<Record<string, ExitCode>> = {
  NOTHING_FITS: EXIT.nothingFits,
  MODEL_NOT_FOUND: EXIT.lmStudioRefused,
  SERVER_OFF: EXIT.lmStudioUnavailable,
  NOT_KEPT: EXIT.lmStudioUnavailable,
  ANSWER_FAILED: EXIT.lmStudioRefused,
  FILE_FAILED: EXIT.outputFailed,
};

/** A missing key, unusable files and a limit of the shell are usage errors of `mai serve`. */
const GATEWAY_USAGE = /^(?:KEY_REQUIRED|KEY_INVALID|FILE_UNUSABLE|ADDRESS_SPACE)$/;

/** Each package marks its errors with a global symbol, so errors from any copy of it are recognised. */
const EXIT_BY_BRAND: readonly (readonly [symbol, (code: string) => ExitCode])[] = [
  [Symbol.for('@mai/cli/UsageError'), () => EXIT.usage],
  [Symbol.for('@mai/model-config/ModelConfigError'), () => EXIT.usage],
  [Symbol.for('@mai/client-settings/ClientSettingsError'), () => EXIT.usage],
  [Symbol.for('@mai/lmstudio-adapter/LMStudioError'), runtimeExit],
  [Symbol.for('@mai/llama-runtime/LlamaRuntimeError'), runtimeExit],
  [Symbol.for('@mai/resource-monitor/ResourceMonitorError'), () => EXIT.probe],
  [Symbol.for('@mai/memory-estimator/ModelFileError'), () => EXIT.modelFile],
  [Symbol.for('@mai/autopilot/AutopilotError'), () => EXIT.autopilot],
  [
    Symbol.for('@mai/gateway/GatewayError'),
    (code) => (GATEWAY_USAGE.test(code) ? EXIT.usage : EXIT.gateway),
  ],
  [Symbol.for('@mai/fleet/FleetError'), () => EXIT.gateway],
  [Symbol.for('@mai/host/HostError'), (code) => EXIT_BY_HOST_CODE[code] ?? EXIT.autopilot],
];

/** An error that `mai` or its packages throw on purpose, and the exit code for it. */
export interface KnownError {
  readonly code: string;
  readonly message: string;
  readonly exitCode: ExitCode;
}

/** The JSON fields of an error. `code` is null for a bug. */
export function errorJson(error: unknown): Readonly<{ code: string | null; message: string }> {
  return { code: knownError(error)?.code ?? null, message: messageOf(error) };
}

/** Recognises the errors that `mai` and its packages throw on purpose. Null: a bug. */
export function knownError(error: unknown): KnownError | null {
  const limit = addressSpaceText(error);
  if (limit !== null) return { code: 'ADDRESS_SPACE', message: limit, exitCode: EXIT.usage };
  const code = codeOf(error);
  if (code === null || !isObject(error)) return null;
  const { message } = error;
  const brand = EXIT_BY_BRAND.find(([symbol]) => symbol in error);
  if (typeof message !== 'string') return null;
  if (brand === undefined) return FILE_REFUSED.test(code) ? fileFailed(message) : null;
  // An invalid request is a usage error, whichever package refuses it.
  if (code === 'INVALID_REQUEST') return { code: 'USAGE', message, exitCode: EXIT.usage };
  // The usage is right where the system refuses a file: its disk is full, or this user has no permission.
  const isRefused = code === 'FILE_UNUSABLE' && FILE_REFUSED.test(codeOf(error['cause']) ?? '');
  return { code, message, exitCode: isRefused ? EXIT.outputFailed : brand[1](code) };
}

/** Codes with which the system refuses to read or write files, whatever the program does. */
const FILE_REFUSED =
  /^E(?:ACCES|PERM|ROFS|NOSPC|DQUOT|IO|MFILE|NFILE|NAMETOOLONG|NOTDIR|LOOP|STALE)$/;

function fileFailed(why: string): KnownError {
  const message = `The system refused a file: ${why}. Check its permissions, and that its disk is mounted and has space.`;
  return { code: 'FILE_FAILED', message, exitCode: EXIT.outputFailed };
}

/** The code of an error, such as `ENOENT`. Null: an error without a code. */
export function codeOf(error: unknown): string | null {
  return isObject(error) && typeof error['code'] === 'string' ? error['code'] : null;
}

/** The message of a thrown value, which need not be an `Error`. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
