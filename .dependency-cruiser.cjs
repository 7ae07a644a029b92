// No import cycle between files, also none of types; `npm run lint` checks it. The arrows between packages are enforced by
// eslint.config.mjs, and drawn by tools/draw-imports.mjs.
module.exports = {
  forbidden: [
    {
      name: 'no-cycle',
      comment: 'Move what both files need into a third one, or join the two.',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
  ],
  options: {
    includeOnly: '^(packages|apps)/[^/]+/src',
    exclude: { path: '\\.test\\.ts$' },
    doNotFollow: { path: 'node_modules' },
    tsConfig: { fileName: 'tsconfig.base.json' },
    tsPreCompilationDeps: true,
  },
};
