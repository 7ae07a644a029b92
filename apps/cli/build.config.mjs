// One CommonJS file has the code that most commands need, a second file has the code that reads the headers of new models, a
// third file has the rest, and each large library has a file of its own. Node reads CommonJS a third faster than ES modules, and each further file costs half a millisecond.
export default {
  entries: {
    main: 'src/main.ts',
    // The resource monitor runs this script, and looks for it beside the bundle.
    'inventory-child': '../../packages/resource-monitor/src/inventory/systeminformation-child.ts',
    // The programs of the embedded engine's child processes, which are looked for in the same way.
    'engine-child': '../../packages/llama-runtime/src/programs/engine-child.ts',
    'inspect-child': '../../packages/llama-runtime/src/programs/inspect-child.ts',
  },
  split: {
    name: 'main',
    first: [
      'src/commands/select.ts',
      'host/src/selection/select.ts',
      'host/src/footprints/estimation.ts',
    ],
    compileFirst: ['src/commands/status.ts'],
    // With the compiled code of a file, Node also reads that of functions which a run does not call.
    parts: {
      headers: [
        'host/src/model-files/computed-from-headers.ts',
        'memory-estimator/src/gguf/read-gguf-header.ts',
      ],
    },
  },
  // An alias applies to every import of the module, also in libraries and packages.
  alias: {
    'node:fs/promises': './src/file-system.ts',
    'fs/promises': './src/file-system.ts',
    // The main file of jsonc-parser is UMD, whose require() esbuild cannot follow.
    'jsonc-parser': 'jsonc-parser/lib/esm/main.js',
  },
  libraries: [
    '@lmstudio/sdk',
    'yaml',
    'zod/mini',
    '@mai/client-settings',
    '@mai/fleet',
    '@mai/gateway',
    '@mai/llama-runtime',
    '@mai/lmstudio-simulator',
  ],
  // `mai serve` serves the page.
  copies: [{ from: '../dashboard/dist', to: 'page' }],
  formats: ['cjs'],
  dynamicImport: false,
  types: false,
};
