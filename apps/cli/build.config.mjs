// One CommonJS file holds all of our own code, each large library has a file of its own: Node reads
// CommonJS a third faster than ES modules, and each further file costs it half a millisecond.
export default {
  entries: {
    main: 'src/main.ts',
    // Beside the bundle, where the resource monitor looks for the script of its inventory.
    'inventory-child': '../../packages/resource-monitor/src/inventory/systeminformation-child.ts',
  },
  // Every import of it, the libraries' and the packages' as well.
  alias: { 'node:fs/promises': './src/file-system.ts', 'fs/promises': './src/file-system.ts' },
  libraries: [
    '@lmstudio/sdk',
    'yaml',
    'zod/mini',
    '@mai/lmstudio-simulator',
    '@mai/memory-estimator',
  ],
  formats: ['cjs'],
  dynamicImport: false,
  types: false,
};
