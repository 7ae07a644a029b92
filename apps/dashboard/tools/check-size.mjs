// Measures the built page and fails where it is larger than it may be. Also writes each text file compressed beside
// the original (`.br`, `.gz`), so that the gateway compresses nothing at run time.
import { readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';

/** The most bytes that all files of the page may take when each is compressed with gzip. */
const MOST_BYTES = 100_000;

const dist = fileURLToPath(new URL('../dist/', import.meta.url));
const entries = await readdir(dist, { recursive: true, withFileTypes: true });
const files = entries
  .filter((entry) => entry.isFile() && !/\.(br|gz)$/.test(entry.name))
  .map((entry) => path.join(entry.parentPath, entry.name));
if (files.length === 0) throw new Error(`There is nothing in ${dist}. Run the build first.`);

let total = 0;
for (const file of files) {
  const content = await readFile(file);
  const zipped = gzipSync(content, { level: 9 });
  total += zipped.length;
  console.log(`${String(zipped.length).padStart(7)} B  ${path.relative(dist, file)}`);
  await writeFile(`${file}.gz`, zipped);
  await writeFile(
    `${file}.br`,
    brotliCompressSync(content, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }),
  );
}
console.log(`${String(total).padStart(7)} B  compressed with gzip; at most ${MOST_BYTES} B`);
if (total > MOST_BYTES) {
  console.error(`The page is ${total - MOST_BYTES} B too large.`);
  process.exitCode = 1;
}
