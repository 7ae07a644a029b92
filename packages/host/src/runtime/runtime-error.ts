import { isLMStudioError, type LMStudioError } from '@mai/lmstudio-adapter';
import type { LlamaRuntimeError } from '@mai/llama-runtime';

/** An error of a runtime. Its code is that of LMStudioError or LlamaRuntimeError. */
export type RuntimeError = LMStudioError | LlamaRuntimeError;

// The error's own guard would load its package, which hosts of LM Studio do not need.
const LLAMA_BRAND = Symbol.for('@mai/llama-runtime/LlamaRuntimeError');

/** Whether a value is an error of LM Studio or of the embedded engine, from any copy of their packages. */
export function isRuntimeError(value: unknown): value is RuntimeError {
  return isLMStudioError(value) || isLlamaRuntimeError(value);
}

function isLlamaRuntimeError(value: unknown): value is LlamaRuntimeError {
  return typeof value === 'object' && value !== null && LLAMA_BRAND in value;
}

/** Whether LM Studio is off. The embedded engine has no such error, because it runs in processes of Mai. */
export function isUnreachable(error: unknown): error is LMStudioError {
  return isLMStudioError(error) && error.code === 'UNREACHABLE';
}
