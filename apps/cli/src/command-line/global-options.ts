import { RUNTIMES } from '../arguments/choices.js';
import type { OptionSpec } from '../arguments/command-spec.js';

/** The options of every command. */
export const GLOBAL_OPTIONS: readonly OptionSpec[] = [
  {
    name: 'url',
    value: 'URL',
    summary: 'address of LM Studio: http, https, ws, wss or host:port (or MAI_LMSTUDIO_URL)',
  },
  {
    name: 'api-token-file',
    value: 'FILE',
    summary: 'file with the LM Studio API token (or LM_API_TOKEN)',
    completes: 'file',
  },
  {
    name: 'config',
    value: 'FILE',
    summary: 'configuration file (or MAI_CONFIG)',
    completes: 'file',
  },
  {
    name: 'runtime',
    value: 'NAME',
    choices: RUNTIMES,
    summary:
      'program that loads the models (default: LM Studio where it runs, else the embedded engine)',
  },
  {
    name: 'models',
    value: 'FOLDERS',
    summary: 'further folders with GGUF files for the embedded engine, separated by commas',
    completes: 'file',
  },
  {
    name: 'timeout',
    value: 'DURATION',
    summary: 'how long the runtime may take to answer or load, such as 30s',
  },
  { name: 'json', summary: 'print the result as JSON with a versioned schema' },
  { name: 'quiet', short: 'q', summary: 'print results and errors only' },
  { name: 'verbose', summary: 'print details, and stack traces of errors' },
  { name: 'no-color', summary: 'no colours (also NO_COLOR)' },
  { name: 'help', short: 'h', summary: 'print help' },
  { name: 'version', short: 'V', summary: 'print the version' },
];
