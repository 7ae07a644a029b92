import { AUTOPILOT } from './specs/autopilot-specs.js';
import { GATEWAY } from './specs/gateway-specs.js';
import { NAME_KINDS } from '../arguments/choices.js';
import { CONNECT } from './specs/connect-spec.js';
import { ESTIMATE } from './specs/estimate-spec.js';
import { GLOBAL_OPTIONS } from './global-options.js';
import { FLEET } from './specs/fleet-spec.js';
import { HISTORY } from './specs/history-specs.js';
import { SPEED } from './specs/speed-specs.js';
import {
  CONTEXT,
  DRY_RUN,
  REQUIRE,
  SELECTION_OPTIONS,
  TIER_LIST,
} from '../arguments/shared-options.js';
import type { CommandSpec, OptionSpec } from '../arguments/command-spec.js';

const TTL: OptionSpec = {
  name: 'ttl',
  value: 'DURATION',
  summary: 'unload after this time without use, such as 10m (default: never)',
};
const SHELLS = ['bash', 'zsh', 'fish'] as const;

/** Every command. Parsing, help and completions are derived from this table. */
export const COMMANDS: readonly CommandSpec[] = [
  {
    name: 'status',
    summary: 'show this machine, the loaded models and the free memory',
    options: [
      { name: 'watch', short: 'w', summary: 'refresh until Ctrl-C' },
      {
        name: 'interval',
        value: 'DURATION',
        needs: ['watch', 'record'],
        summary:
          'time between refreshes with --watch (default: 0.5s while memory use changes, else 2s)',
      },
      {
        name: 'record',
        value: 'FILE',
        summary:
          'write every reading to FILE as JSON lines, until Ctrl-C; replaces an older recording',
        completes: 'file',
      },
    ],
    examples: [['mai status --watch', 'a live view of memory pools and loaded models']],
    load: async () => (await import('../commands/status.js')).run,
  },
  {
    name: 'models',
    summary: 'list the models, the memory that each takes, and whether it fits',
    options: [
      TIER_LIST,
      REQUIRE,
      { name: 'all', short: 'a', summary: 'list also configured models that are not downloaded' },
      CONTEXT,
    ],
    load: async () => (await import('../commands/models/models.js')).run,
  },
  {
    name: 'select',
    summary: 'choose the best model that fits now, and say why',
    options: [
      ...SELECTION_OPTIONS,
      { name: 'load', summary: 'load the chosen model, after unloading others if needed' },
      DRY_RUN,
    ],
    examples: [
      ['mai select --require chat,tools --min-context 16384', 'choose a model, and change nothing'],
      ['mai select --chain coding --load', 'choose a model of the chain named coding, and load it'],
    ],
    load: async () => (await import('../commands/select.js')).run,
  },
  {
    name: 'load',
    summary: 'load a model with its configured settings; if that fails, try the next KEY',
    arguments: [
      {
        name: 'KEY...',
        required: true,
        summary: 'model keys, in order of preference',
        completes: 'model',
      },
    ],
    options: [
      CONTEXT,
      {
        name: 'identifier',
        value: 'NAME',
        summary: 'name of the loaded instance (default: mai/KEY)',
      },
      TTL,
      {
        name: 'gpu-offload',
        value: 'RATIO',
        summary: 'share of layers on the GPU: 0 to 1, max or off',
      },
      DRY_RUN,
    ],
    examples: [['mai load qwen/qwen3-4b --context 16384', 'load with room for 16,384 tokens']],
    load: async () => (await import('../commands/models/load.js')).run,
  },
  {
    name: 'unload',
    summary: 'unload a model by its key or its instance identifier',
    arguments: [
      {
        name: 'KEY-OR-IDENTIFIER',
        required: true,
        summary: 'model key or instance identifier',
        completes: 'instance',
      },
    ],
    options: [
      { name: 'all', short: 'a', summary: 'unload every instance of the model key' },
      { name: 'force', summary: 'unload a model even while it generates' },
      DRY_RUN,
    ],
    load: async () => (await import('../commands/models/unload.js')).run,
  },
  ...AUTOPILOT,
  ...GATEWAY,
  FLEET,
  ...HISTORY,
  ESTIMATE,
  ...SPEED,
  CONNECT,
  {
    name: 'chat',
    summary: 'talk to a model in the terminal; on a pipe, each line is a question',
    arguments: [
      {
        name: 'MODEL',
        required: false,
        summary: 'model key, or auto for the best model that fits (default)',
        completes: 'model',
      },
    ],
    load: async () => (await import('../commands/chat.js')).run,
  },
  {
    name: 'config',
    summary: 'write, check and find the configuration',
    subcommands: [
      {
        name: 'init',
        summary: 'write a commented models.yaml for the downloaded models',
        arguments: [
          {
            name: 'FILE',
            required: false,
            summary: 'file to write (default: models.yaml)',
            completes: 'file',
          },
        ],
        options: [{ name: 'force', summary: 'replace an existing file' }, DRY_RUN],
        load: async () => (await import('../commands/config/init.js')).run,
      },
      {
        name: 'check',
        summary: 'check a configuration and list every problem with line and column',
        arguments: [
          {
            name: 'FILE',
            required: false,
            summary: 'file to check (default: the one in use)',
            completes: 'file',
          },
        ],
        load: async () => (await import('../commands/config/check.js')).run,
      },
      {
        name: 'schema',
        summary: 'print the JSON Schema, for editors',
        load: async () => (await import('../commands/config/schema.js')).run,
      },
      {
        name: 'path',
        summary:
          'print the path of the configuration in use, and the other paths that mai searches',
        load: async () => (await import('../commands/config/path.js')).run,
      },
    ],
  },
  {
    name: 'doctor',
    summary: 'check LM Studio, GPU, configuration and versions, and say how to fix each problem',
    options: [{ name: 'measure', summary: 'measure the speed of RAM, for two seconds' }],
    load: async () => (await import('../commands/doctor.js')).run,
  },
  {
    name: 'demo',
    summary: 'show mai on a simulated LM Studio, for half a minute',
    options: [{ name: 'fast', summary: 'leave out the pauses for reading' }],
    load: async () => (await import('../commands/demo.js')).run,
  },
  {
    name: 'start',
    summary: 'show this machine, its models and the choice; without models, run the demo',
    options: [{ name: 'fast', summary: 'leave out the pauses for reading' }],
    load: async () => (await import('../commands/start.js')).run,
  },
  {
    name: 'completions',
    summary: 'print a completion script for bash, zsh or fish',
    arguments: [{ name: 'SHELL', required: true, summary: SHELLS.join(', '), choices: SHELLS }],
    examples: [
      ['source <(mai completions bash)', 'bash: put this into ~/.bashrc'],
      ['source <(mai completions zsh)', 'zsh: put this into ~/.zshrc, after compinit'],
      ['mai completions fish | source', 'fish: put this into ~/.config/fish/config.fish'],
    ],
    load: async () => {
      const { printCompletions } = await import('../commands/completion/completions.js');
      return printCompletions(COMMANDS, GLOBAL_OPTIONS);
    },
  },
  {
    name: 'complete',
    summary: 'list names for shell completions',
    hidden: true,
    arguments: [
      {
        name: 'WHAT',
        required: true,
        summary: 'model, instance, chain or pin',
        choices: NAME_KINDS,
      },
    ],
    load: async () => (await import('../commands/completion/complete.js')).run,
  },
];
