// Checks that every file of this repository that a document names in backquotes or as a link exists.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { root } from './workspace.mjs';

/** A file or folder below one of the workspace's top folders. Names with placeholders such as NAME or * are not paths. */
const NAMED = /[`(]((?:packages|apps|bench|tools|docs|config|examples)\/[a-z0-9@._/-]+)[`)]/g;
/** Sources of lmstudio-js and of llama.cpp that the documents cite by their path there. */
const ELSEWHERE = ['packages/lms-kv-config/', 'tools/perplexity', 'tools/quantize', 'tools/mtmd'];

const documents = execFileSync('git', ['ls-files', '*.md'], { cwd: root, encoding: 'utf8' })
  .split('\n')
  // A change log speaks of earlier times.
  .filter((file) => file !== '' && !file.endsWith('CHANGELOG.md'));
const missing = documents.flatMap((file) =>
  [...readFileSync(path.join(root, file), 'utf8').matchAll(NAMED)]
    .map(([, named]) => named)
    .filter((named) => !ELSEWHERE.some((start) => named.startsWith(start)))
    .filter((named) => !existsSync(path.join(root, named)))
    .map((named) => `${file} names ${named}, which does not exist.`),
);
if (missing.length > 0) {
  console.error(missing.join('\n'));
  process.exit(1);
}
console.log(`${documents.length} documents name only files that exist.`);
