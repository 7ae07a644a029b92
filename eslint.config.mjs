import js from '@eslint/js';
import nx from '@nx/eslint-plugin';
import prettier from 'eslint-config-prettier';
import tseslint from 'typescript-eslint';

/** Each third-party library has one door; everything else goes through it. */
const DOORS = {
  '@lmstudio/sdk': ['packages/lmstudio-adapter/src/sdk-door.ts'],
  systeminformation: ['packages/resource-monitor/src/inventory/systeminformation-child.ts'],
  yaml: ['packages/model-config/src/**'],
};

/** Who may import whom; see docs/ARCHITECTURE.md. Everybody may import memory-ledger. */
const IMPORTS = {
  'memory-ledger': [],
  'lmstudio-adapter': [],
  'lmstudio-simulator': [],
  'memory-estimator': [],
  'model-config': [],
  'resource-monitor': [],
  selector: [],
  autopilot: ['selector'],
  simulation: ['autopilot', 'selector'],
  host: [
    'autopilot',
    'lmstudio-adapter',
    'memory-estimator',
    'model-config',
    'resource-monitor',
    'selector',
  ],
  cli: ['*'],
};

const BOUNDARIES = Object.entries(IMPORTS).map(([scope, imports]) => ({
  sourceTag: `scope:${scope}`,
  onlyDependOnLibsWithTags: imports.includes('*')
    ? ['*']
    : [scope, 'memory-ledger', ...imports].map((one) => `scope:${one}`),
}));

const boundaries = (depConstraints) => [
  'error',
  {
    allow: [],
    banTransitiveDependencies: false,
    enforceBuildableLibDependency: false,
    depConstraints,
  },
];

export default tseslint.config(
  {
    ignores: ['**/dist/**', '**/node_modules/**', '**/.nx/**', '**/fixtures/**', '**/coverage/**'],
  },
  js.configs.recommended,
  {
    files: ['**/*.ts'],
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
      '@typescript-eslint/no-unused-vars': [
        'error',
        { argsIgnorePattern: '^_', varsIgnorePattern: '^_' },
      ],
      'no-restricted-syntax': [
        'error',
        { selector: 'ExportDefaultDeclaration', message: 'Named exports only.' },
        { selector: 'TSEnumDeclaration', message: 'Use a union of string literals.' },
        { selector: 'ExportAllDeclaration', message: 'Name what is exported.' },
      ],
      'no-console': 'error',
      eqeqeq: ['error', 'always', { null: 'ignore' }],
    },
  },
  ...doorRules(),
  {
    // Tests may reach for the simulator and for the real libraries behind a port.
    files: ['**/*.test.ts', '**/test/**/*.ts'],
    rules: {
      '@nx/enforce-module-boundaries': boundaries([
        { sourceTag: '*', onlyDependOnLibsWithTags: ['*'] },
      ]),
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/unbound-method': 'off',
    },
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

/** For each file, the libraries whose door it is not. */
function doorRules() {
  const libraries = Object.keys(DOORS);
  const restrict = (names) => ({
    'no-restricted-imports': [
      'error',
      {
        paths: names.map((name) => ({
          name,
          message: 'This library has one door; see eslint.config.mjs.',
        })),
      },
    ],
  });
  const sources = ['packages/*/src/**/*.ts', 'apps/*/src/**/*.ts'];
  const exempt = ['**/*.test.ts'];
  return [
    { files: sources, ignores: exempt, rules: restrict(libraries) },
    ...libraries.map((library) => ({
      files: DOORS[library],
      ignores: exempt,
      rules: restrict(libraries.filter((other) => other !== library)),
    })),
  ];
}
