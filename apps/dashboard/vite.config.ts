import { defineConfig } from 'vite';

/** Everything comes from the page's own address, and nothing is inlined: the gateway's CSP is `default-src 'self'`. */
// eslint-disable-next-line no-restricted-syntax -- Vite reads the default export.
export default defineConfig({
  base: './',
  esbuild: { jsx: 'automatic', jsxImportSource: 'preact', legalComments: 'none' },
  build: {
    target: 'es2022',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
  },
});
