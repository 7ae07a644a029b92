// Checks with a dry run that a release of one package changes no version of another package.
import { stripVTControlCharacters } from 'node:util';
import { read, run, workspacePackages } from './workspace.mjs';

const RELEASED = '@mai/selector';

const output = stripVTControlCharacters(
  read('npx', [
    '--no-install',
    'nx',
    'release',
    'version',
    'minor',
    `--projects=${RELEASED}`,
    '--dry-run',
    '--verbose=false',
  ]),
);
const touched = workspacePackages().filter(({ name }) =>
  output.includes(`written to manifest: ${manifestOf(name)}`),
);
const names = touched.map(({ name }) => name).join(', ') || 'none';
if (names !== RELEASED) {
  console.error(output);
  console.error(`Releasing ${RELEASED} would touch: ${names}. Only that package may change.`);
  process.exit(1);
}
run('git', ['diff', '--exit-code', '--stat', '--', ':(glob)**/package.json']);
console.log(`A release of ${RELEASED} leaves the other packages untouched.`);

function manifestOf(name) {
  const short = name.replace('@mai/', '');
  return short === 'cli' ? 'apps/cli/package.json' : `packages/${short}/package.json`;
}
