import js from '@eslint/js';
import nx from '@nx/eslint-plugin';
import prettier from 'eslint-config-prettier';
import tseslint from 'typescript-eslint';

/** Platforms of the binding of llama.cpp. */
const LLAMA_BINDINGS = [
  'darwin-arm64',
  'darwin-x64',
  'linux-arm64',
  'linux-x64',
  'win32-arm64',
  'win32-x64',
];

/** The doors of a third-party library are the only places that may import it. zod and yaml have one for each format. */
const DOORS = [
  {
    files: ['packages/llama-runtime/src/engine/llama-door.ts'],
    libraries: LLAMA_BINDINGS.map((machine) => `@fugood/node-llama-${machine}`),
  },
  { files: ['packages/lmstudio-adapter/src/sdk-door.ts'], libraries: ['@lmstudio/sdk'] },
  {
    files: ['packages/resource-monitor/src/inventory/systeminformation-child.ts'],
    libraries: ['systeminformation'],
  },
  { files: ['packages/client-settings/src/formats/jsonc.ts'], libraries: ['jsonc-parser'] },
  { files: ['packages/client-settings/src/formats/toml.ts'], libraries: ['smol-toml'] },
  { files: ['packages/client-settings/src/formats/yaml.ts'], libraries: ['yaml'] },
  { files: ['packages/model-config/src/**'], libraries: ['yaml', 'zod', 'zod/mini'] },
  { files: ['packages/lmstudio-simulator/src/**'], libraries: ['zod', 'zod/mini'] },
  { files: ['packages/gateway/src/**'], libraries: ['zod', 'zod/mini'] },
  { files: ['packages/gateway/src/upstream/http-client.ts'], libraries: ['undici'] },
  { files: ['packages/gateway/src/metrics/**'], libraries: ['prom-client'] },
  { files: ['packages/fleet/src/**'], libraries: ['zod', 'zod/mini'] },
  {
    files: ['packages/fleet/src/nats/nats-door.ts'],
    libraries: ['@nats-io/transport-node', '@nats-io/kv', '@nats-io/jetstream'],
  },
  { files: ['packages/fleet/src/certificates/x509-door.ts'], libraries: ['@peculiar/x509'] },
  { files: ['apps/dashboard/src/**'], libraries: ['preact', 'preact/hooks'] },
  { files: ['apps/dashboard/src/memory/plot.ts'], libraries: ['uplot'] },
];

/** Who may import whom; see docs/ARCHITECTURE.md. Everybody may import memory-ledger. */
const IMPORTS = {
  'memory-ledger': [],
  'client-settings': [],
  'llama-runtime': [],
  'lmstudio-adapter': [],
  'lmstudio-simulator': [],
  'memory-estimator': [],
  'model-config': [],
  'performance-model': [],
  'resource-monitor': [],
  selector: [],
  autopilot: ['selector'],
  simulation: ['autopilot', 'selector'],
  fleet: [],
  gateway: [],
  dashboard: [],
  host: [
    'autopilot',
    'llama-runtime',
    'lmstudio-adapter',
    'memory-estimator',
    'model-config',
    'performance-model',
    'resource-monitor',
    'selector',
  ],
  cli: ['client-settings', 'fleet', 'gateway', 'host', 'lmstudio-simulator', 'simulation'],
};

const BOUNDARIES = Object.entries(IMPORTS).map(([scope, imports]) => ({
  sourceTag: `scope:${scope}`,
  onlyDependOnLibsWithTags: [scope, 'memory-ledger', ...imports].map((one) => `scope:${one}`),
}));

/** Packages whose answers depend on their arguments alone, so that a decision can be replayed. */
const PURE = [
  'packages/fleet/src/placement/**/*.ts',
  'packages/memory-ledger/src/**/*.ts',
  'packages/performance-model/src/**/*.ts',
  'packages/selector/src/**/*.ts',
];

const IMPURE_GLOBALS = [
  'process',
  'Date',
  'performance',
  'fetch',
  'crypto',
  'setTimeout',
  'setInterval',
  'setImmediate',
  'queueMicrotask',
];

const boundaries = (depConstraints) => [
  'error',
  {
    allow: [],
    banTransitiveDependencies: false,
    enforceBuildableLibDependency: false,
    // Tests import the runtime at once, which the host itself loads on first use.
    checkDynamicDependenciesExceptions: ['@mai/llama-runtime'],
    depConstraints,
  },
];

export default tseslint.config(
  {
    ignores: ['**/dist/**', '**/node_modules/**', '**/.nx/**', '**/fixtures/**', '**/coverage/**'],
  },
  js.configs.recommended,
  {
    files: ['**/*.{ts,tsx}'],
    extends: [...tseslint.configs.recommendedTypeChecked],
    plugins: { '@nx': nx },
    languageOptions: { parserOptions: { projectService: true } },
    rules: {
      '@nx/enforce-module-boundaries': boundaries(BOUNDARIES),
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/no-explicit-any': 'error',
      '@typescript-eslint/prefer-nullish-coalescing': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      // The reason of a signal may be any value, and is passed on as it is.
      '@typescript-eslint/prefer-promise-reject-errors': [
        'error',
        { allowThrowingAny: true, allowThrowingUnknown: true },
      ],
      '@typescript-eslint/no-unused-vars': [
        'error',
        { argsIgnorePattern: '^_', varsIgnorePattern: '^_' },
      ],
      'no-restricted-syntax': [
        'error',
        { selector: 'ExportDefaultDeclaration', message: 'Named exports only.' },
        { selector: 'TSEnumDeclaration', message: 'Use a union of string literals.' },
        { selector: 'ExportAllDeclaration', message: 'List the exported names.' },
      ],
      'no-console': 'error',
      eqeqeq: ['error', 'always', { null: 'ignore' }],
    },
  },
  {
    files: ['packages/*/src/**/*.ts', 'apps/*/src/**/*.{ts,tsx}'],
    ignores: ['**/*.test.ts', '**/*.generated.ts'],
    // A longer file usually has a second subject.
    rules: { 'max-lines': ['error', { max: 250, skipBlankLines: true, skipComments: true }] },
  },
  ...doorRules(),
  {
    files: PURE,
    ignores: ['**/*.test.ts'],
    rules: {
      'no-restricted-globals': [
        'error',
        ...IMPURE_GLOBALS.map((name) => ({
          name,
          message: 'This package has no clock, no randomness and no I/O.',
        })),
      ],
      'no-restricted-properties': [
        'error',
        {
          object: 'Math',
          property: 'random',
          message: 'This package has no clock, no randomness and no I/O.',
        },
      ],
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            {
              regex: '^(?!@mai/memory-ledger$|\\.)',
              message: 'This package has no clock, no randomness and no I/O.',
            },
          ],
        },
      ],
    },
  },
  {
    // Tests may import the simulator and the real libraries behind a port.
    files: ['**/*.test.ts', '**/test/**/*.ts'],
    rules: {
      '@nx/enforce-module-boundaries': boundaries([
        { sourceTag: '*', onlyDependOnLibsWithTags: ['*'] },
      ]),
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/unbound-method': 'off',
    },
  },
  {
    // The first compares functions of several packages that the packages do not export. The second runs the contract
    // suite of runtimes, which is among the tests of lmstudio-adapter. The third loads the files that memory-estimator judges.
    files: [
      'packages/host/src/one-verdict.test.ts',
      'packages/llama-runtime/src/runtime-contract.test.ts',
      'packages/llama-runtime/src/verdicts.slow.test.ts',
    ],
    rules: { '@nx/enforce-module-boundaries': 'off' },
  },
  {
    files: ['**/*.{js,mjs,cjs}'],
    languageOptions: {
      globals: Object.fromEntries(
        [
          'process',
          'console',
          'URL',
          'Buffer',
          'setTimeout',
          'clearTimeout',
          'setInterval',
          'clearInterval',
          'AbortController',
          'performance',
          'fetch',
          'AbortSignal',
          'module',
          'require',
          '__dirname',
        ].map((name) => [name, 'readonly']),
      ),
    },
  },
  prettier,
);

/** Forbids a file to import a library, unless the file is the library's door. */
function doorRules() {
  const all = [...new Set(DOORS.flatMap(({ libraries }) => libraries))];
  const restrict = (names) => ({
    'no-restricted-imports': [
      'error',
      {
        paths: names.map((name) => ({
          name,
          message: 'Only the door of this library may import it; see DOORS in eslint.config.mjs.',
        })),
      },
    ],
  });
  const ignores = ['**/*.test.ts'];
  return [
    {
      files: ['packages/*/src/**/*.ts', 'apps/*/src/**/*.{ts,tsx}'],
      ignores,
      rules: restrict(all),
    },
    ...DOORS.map(({ files, libraries }) => ({
      files,
      ignores,
      rules: restrict(all.filter((name) => !libraries.includes(name))),
    })),
  ];
}
