// Compiles the TypeScript examples of every README against the packages' built declarations.
import { mkdirSync, readFileSync, rmSync, writeFileSync, existsSync } from 'node:fs';
import path from 'node:path';
import { root, run, workspacePackages } from './workspace.mjs';

// The folder lies inside the workspace, so that imports resolve to the workspace's packages.
const folder = path.join(root, 'node_modules', '.cache', 'mai-readmes');
rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });

let examples = 0;
for (const { name, dir } of [{ name: 'mai', dir: root }, ...workspacePackages()]) {
  const file = path.join(dir, 'README.md');
  if (!existsSync(file)) throw new Error(`${name} has no README.md`);
  for (const [, code] of readFileSync(file, 'utf8').matchAll(/^```ts\n(.*?)^```$/gms)) {
    examples += 1;
    writeFileSync(
      path.join(folder, `${path.basename(dir)}-${examples}.ts`),
      `${code}\nexport {};\n`,
    );
  }
}
writeFileSync(path.join(folder, 'package.json'), '{ "type": "module" }\n');
writeFileSync(
  path.join(folder, 'tsconfig.json'),
  JSON.stringify({
    extends: path.relative(folder, path.join(root, 'tsconfig.base.json')),
    compilerOptions: {
      noEmit: true,
      paths: {},
      noUnusedLocals: false,
      typeRoots: [path.join(root, 'node_modules/@types')],
    },
    include: ['*.ts'],
  }),
);
run(process.execPath, [path.join(root, 'node_modules/typescript/bin/tsc'), '-p', folder], {
  shell: false,
});
console.log(`${examples} README examples compile.`);
