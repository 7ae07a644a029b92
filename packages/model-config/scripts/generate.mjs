// Writes everything that is generated from src/format/file-schema.ts and config/models.yaml:
//
//   from the help texts of the schema   the comments and the section `switching` of config/models.yaml,
//                                       the README's tables, the JSDoc of model-config-file.ts
//   from the schema                     schema.json, src/built-in/schema-fingerprint.generated.ts
//   from config/models.yaml             src/built-in/built-in-*.generated.ts
//
// The built-in configuration is part of the bundle, so that no file has to be found at run time. It is
// parsed already, so that a start without a file needs neither the YAML parser nor the validator.
// Run this after a change of either source: `npm run generate -w @mai/model-config`. Tests compare all
// generated files with their sources.
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build } from 'esbuild';
import * as prettier from 'prettier';

const project = path.join(path.dirname(fileURLToPath(import.meta.url)), '..');
const defaultFile = path.join(project, '..', '..', 'config', 'models.yaml');

// The folder lies inside the workspace, so that the bundle finds its dependencies.
const cache = path.join(project, '..', '..', 'node_modules', '.cache');
mkdirSync(cache, { recursive: true });
const scratch = mkdtempSync(path.join(cache, 'generate-'));
try {
  const outfile = path.join(scratch, 'sources.mjs');
  await build({
    stdin: {
      contents: `
        export { modelConfigJsonSchema } from './src/format/json-schema.js';
        export { parseModelConfig } from './src/parse/parse-model-config.js';
        export { writeFileTypes, writeModelsYaml, writeReadme } from './scripts/write-help.js';
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
  await rewrite('../../config/models.yaml', sources.writeModelsYaml);
  await rewrite('README.md', sources.writeReadme);
  await rewrite('src/format/model-config-file.ts', sources.writeFileTypes);

  const schema = JSON.stringify(sources.modelConfigJsonSchema());
  await write('schema.json', schema);
  const fingerprint = createHash('sha256').update(schema).digest('hex').slice(0, 16);
  await write(
    'src/built-in/schema-fingerprint.generated.ts',
    `// Generated from the schema by scripts/generate.mjs. Identifies the rules with which a cached file was checked.
    export const SCHEMA_FINGERPRINT = '${fingerprint}';`,
  );

  const text = readFileSync(defaultFile, 'utf8');
  const { config, issues } = sources.parseModelConfig(text, { file: 'config/models.yaml' });
  if (config === null) throw new Error(issues.map(sources.formatIssue).join('\n\n'));
  const note = '// Generated from config/models.yaml by scripts/generate.mjs.\n';
  await write(
    'src/built-in/built-in-file.generated.ts',
    `${note}import type { ModelConfigFile } from '../format/model-config-file.js';

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

async function rewrite(name, update) {
  await write(name, update(readFileSync(path.join(project, name), 'utf8')));
}

async function write(name, contents) {
  const file = path.join(project, name);
  const options = await prettier.resolveConfig(file);
  writeFileSync(file, await prettier.format(contents, { ...options, filepath: file }));
}
