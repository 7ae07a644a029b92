// Rolls dist/types up into dist/index.d.ts and compares the public surface with api/<name>.api.md. Outside CI the
// report is rewritten, so that the diff shows a change of the surface. In CI a change is an error.
import { copyFileSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { Extractor, ExtractorConfig } from '@microsoft/api-extractor';

const projectFolder = process.cwd();
const packageJsonFullPath = path.join(projectFolder, 'package.json');
const { name } = JSON.parse(readFileSync(packageJsonFullPath, 'utf8'));
const reportFolder = path.join(projectFolder, 'api');
mkdirSync(reportFolder, { recursive: true });

// API Extractor prints colours even if the output is not a terminal.
if (!process.stdout.isTTY) {
  for (const method of ['log', 'warn', 'error']) {
    const write = console[method].bind(console);
    console[method] = (message) => write(stripVTControlCharacters(String(message)));
  }
}

const silent = { logLevel: 'none' };
const extractorConfig = ExtractorConfig.prepare({
  packageJsonFullPath,
  configObjectFullPath: path.join(projectFolder, 'api-extractor.json'),
  configObject: {
    projectFolder,
    mainEntryPointFilePath: path.join(projectFolder, 'dist/types/index.d.ts'),
    newlineKind: 'lf',
    compiler: {
      overrideTsconfig: {
        compilerOptions: {
          target: 'es2022',
          lib: ['es2023', 'esnext.disposable'],
          module: 'nodenext',
          moduleResolution: 'nodenext',
          types: ['node'],
          strict: true,
          skipLibCheck: true,
        },
        files: [path.join(projectFolder, 'dist/types/index.d.ts')],
      },
    },
    apiReport: {
      enabled: true,
      reportFolder,
      reportFileName: `${name.split('/').pop()}.api.md`,
      reportTempFolder: path.join(projectFolder, 'dist/types'),
    },
    docModel: { enabled: false },
    tsdocMetadata: { enabled: false },
    dtsRollup: { enabled: true, untrimmedFilePath: path.join(projectFolder, 'dist/index.d.ts') },
    messages: {
      compilerMessageReporting: { default: { logLevel: 'warning' } },
      extractorMessageReporting: {
        default: { logLevel: 'warning' },
        'ae-missing-release-tag': silent,
        // Fields with a clear name need no comment. Comments of exports are checked in review.
        'ae-undocumented': silent,
        'ae-unresolved-link': silent,
      },
      tsdocMessageReporting: { default: silent },
    },
  },
});

const result = Extractor.invoke(extractorConfig, {
  localBuild: !process.env.CI,
  showVerboseMessages: false,
  messageCallback(message) {
    // Hides a message of every run: API Extractor's compiler is older than ours.
    if (message.messageId === 'console-compiler-version-notice') message.logLevel = 'none';
    if (message.messageId === 'console-preamble') message.logLevel = 'none';
  },
});
if (!result.succeeded) {
  console.error(
    `${name}: the public surface differs from its report in api/. Build without CI set, read the diff, commit it.`,
  );
  process.exit(1);
}
copyFileSync(
  path.join(projectFolder, 'dist/index.d.ts'),
  path.join(projectFolder, 'dist/index.d.cts'),
);
rmSync(path.join(projectFolder, 'dist/types'), { recursive: true });
