// Writes what is generated from this package's sources and from config/models.yaml:
//
//   schema.json                              from the schema in src/file/file-schema.ts
//   src/built-in/schema-fingerprint.generated.ts   from the same
//   src/built-in/built-in-*.generated.ts     from config/models.yaml
//
// The default travels inside the bundle, so nothing has to be found on disk at run time, and already
// parsed, so a start without a file needs neither YAML nor validation. Run it after a change of either;
// a test holds both against their sources.
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import * as prettier from 'prettier';

const project = path.join(path.dirname(fileURLToPath(import.meta.url)), '..');
const defaultFile = path.join(project, '..', '..', 'config', 'models.yaml');

// Inside the package, so that the bundle finds its dependencies.
const scratch = mkdtempSync(path.join(project, 'node_modules', '.generate-'));
try {
  const outfile = path.join(scratch, 'sources.mjs');
  await build({
    stdin: {
      contents: `
        export { modelConfigJsonSchema } from './src/file/json-schema.js';
        export { parseModelConfig } from './src/file/parse-model-config.js';
        export { formatIssue } from './src/diagnostics/issue.js';
        export { parse } from 'yaml';`,
      resolveDir: project,
    },
    outfile,
    bundle: true,
    format: 'esm',
    platform: 'node',
    packages: 'external',
  });
  const sources = await import(pathToFileURL(outfile).href);
  const schema = JSON.stringify(sources.modelConfigJsonSchema());
  await write('schema.json', schema);
  const fingerprint = createHash('sha256').update(schema).digest('hex').slice(0, 16);
  await write(
    'src/built-in/schema-fingerprint.generated.ts',
    `// Generated from the schema by scripts/generate.mjs: which rules a cached file was held against.
    export const SCHEMA_FINGERPRINT = '${fingerprint}';`,
  );

  const text = readFileSync(defaultFile, 'utf8');
  const { config, issues } = sources.parseModelConfig(text, { file: 'config/models.yaml' });
  if (config === null) throw new Error(issues.map(sources.formatIssue).join('\n\n'));
  const note = '// Generated from config/models.yaml by scripts/generate.mjs.\n';
  await write(
    'src/built-in/built-in-file.generated.ts',
    `${note}import type { ModelConfigFile } from '../file/model-config-file.js';

    export const builtInFile: ModelConfigFile = ${JSON.stringify(sources.parse(text))};`,
  );
  await write(
    'src/built-in/built-in-text.generated.ts',
    `${note}
    export const builtInModelConfigText = ${JSON.stringify(text.split('\n'))}.join('\\n');`,
  );
} finally {
  rmSync(scratch, { recursive: true, force: true });
}

async function write(name, contents) {
  const file = path.join(project, name);
  const options = await prettier.resolveConfig(file);
  writeFileSync(file, await prettier.format(contents, { ...options, filepath: file }));
}
