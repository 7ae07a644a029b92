// Builds `mai`: the workspace's bundler first, as ES modules split by what is loaded when, and then each
// of its files as CommonJS. Node reads those a third faster: its ES module loader is asynchronous, and
// makes a facade of every built-in module whose getters it all calls.
import { spawnSync } from 'node:child_process';
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { transform } from 'esbuild';

const project = path.dirname(fileURLToPath(import.meta.url));
const dist = path.join(project, 'dist');
const bundler = fileURLToPath(new URL('../../tools/build-package.mjs', import.meta.url));

const { status } = spawnSync(process.execPath, [bundler], { cwd: project, stdio: 'inherit' });
if (status !== 0) process.exit(status ?? 1);

for (const name of readdirSync(dist, { recursive: true })) {
  if (name.endsWith('.js')) await toCommonJs(path.join(dist, name));
}
writeFileSync(path.join(dist, 'package.json'), '{ "type": "commonjs" }\n');

async function toCommonJs(file) {
  const source = readFileSync(file, 'utf8')
    // CommonJS has a require() of its own.
    .replace(/^import \{ createRequire as __createRequire \}.*\n/, '');
  const { code } = await transform(source, {
    format: 'cjs',
    platform: 'node',
    target: 'node20',
    // import() would start the loader that all this is for avoiding.
    supported: { 'dynamic-import': false },
    // Less to parse; names stay, for the stack traces of --verbose.
    minifyWhitespace: true,
    minifySyntax: true,
    define: { 'import.meta.url': '__importMetaUrl' },
    banner: source.includes('import.meta.url')
      ? "const __importMetaUrl = require('node:url').pathToFileURL(__filename).href;"
      : '',
  });
  writeFileSync(file, code);
}
