// Packs every package, installs the tarballs in an empty folder with a plain `npm install`, imports each
// as ESM and as CommonJS, runs `mai --version`, and runs the examples there against the simulator.
import { copyFileSync, cpSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { read, root, run, workspacePackages } from './workspace.mjs';

const folder = mkdtempSync(path.join(tmpdir(), 'mai tarballs '));
try {
  for (const { dir } of workspacePackages()) {
    read('npm', ['pack', '--silent', '--pack-destination', folder], { cwd: dir });
  }
  const tarballs = readdirSync(folder).map((name) => `./${name}`);
  writeFileSync(path.join(folder, 'package.json'), '{ "name": "stranger", "private": true }\n');
  run('npm', ['install', '--no-audit', '--no-fund', '--loglevel=error', ...tarballs], {
    cwd: folder,
  });

  const libraries = workspacePackages().filter(({ manifest }) => manifest.exports);
  for (const { name } of libraries) {
    const probe = (load) =>
      `${load}.then((m) => { if (Object.keys(m).length === 0) throw new Error('${name} exports nothing'); })`;
    run(process.execPath, ['--input-type=module', '-e', probe(`import('${name}')`)], inFolder());
    run(process.execPath, ['-e', probe(`Promise.resolve(require('${name}'))`)], inFolder());
  }
  run('npx', ['--no-install', 'mai', '--version'], inFolder());

  cpSync(path.join(root, 'examples'), path.join(folder, 'examples'), { recursive: true });
  copyFileSync(path.join(root, 'tools/run-examples.mjs'), path.join(folder, 'run-examples.mjs'));
  run(process.execPath, ['run-examples.mjs'], inFolder());
  console.log(`${libraries.length} packages import as ESM and as CommonJS from their tarballs.`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function inFolder() {
  return { cwd: folder, shell: false, ...(process.platform === 'win32' ? { shell: true } : {}) };
}
