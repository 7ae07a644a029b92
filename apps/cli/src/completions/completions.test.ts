import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { COMMANDS } from '../command-line/command-table.js';
import { GLOBAL_OPTIONS } from '../command-line/global-options.js';
import { bashCompletions } from './bash.js';
import { fishCompletions } from './fish.js';
import { flattenCommands } from './words.js';
import { zshCompletions } from './zsh.js';

const scripts = {
  bash: bashCompletions(COMMANDS, GLOBAL_OPTIONS),
  zsh: zshCompletions(COMMANDS, GLOBAL_OPTIONS),
  fish: fishCompletions(COMMANDS, GLOBAL_OPTIONS),
};
const has = (shell: string) => spawnSync(shell, ['-c', 'true']).status === 0;

test.each(['bash', 'zsh', 'fish'] as const)(
  'the script for %s offers every visible command and option, and no hidden command',
  (shell) => {
    for (const { spec } of flattenCommands(COMMANDS)) {
      expect(scripts[shell]).toContain(spec.name);
      for (const { name } of spec.options ?? []) expect(scripts[shell]).toContain(name);
    }
    for (const { hidden, summary } of COMMANDS) {
      if (hidden === true) expect(scripts[shell]).not.toContain(summary);
    }
  },
);

test.each(['bash', 'zsh', 'fish'] as const)('the script for %s has valid syntax', (shell) => {
  if (!has(shell)) return;
  const { status, stderr } = spawnSync(shell, ['-n'], { input: scripts[shell], encoding: 'utf8' });
  expect(stderr).toBe('');
  expect(status).toBe(0);
});

const complete = (...words: string[]) => {
  const script = `${scripts.bash}
mai() { case "$2" in chain) printf '%s\\n' default coding ;; pin) echo mine ;; esac; }
COMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')})
COMP_CWORD=${words.length - 1}
_mai
printf '%s\\n' "\${COMPREPLY[@]}"`;
  return spawnSync('bash', ['-c', script], { encoding: 'utf8' }).stdout.split('\n').filter(Boolean);
};

(has('bash') ? test : test.skip).each([
  [
    ['mai', 'sta'],
    ['status', 'start'],
  ],
  [
    ['mai', 'config', ''],
    ['init', 'check', 'schema', 'path'],
  ],
  [['mai', 'config', 'init', '--fo'], ['--force']],
  [['mai', '--json', 'select', '--ch'], ['--chain']],
  [['mai', 'estimate', '--kv-k', 'q8'], ['q8_0']],
  [['mai', 'select', '--chain', 'c'], ['coding']],
  [
    ['mai', 'completions', ''],
    ['bash', 'zsh', 'fish'],
  ],
  [['mai', 'yield', '8GiB', '--pools', 'g'], ['gpu']],
  [['mai', 'watch', '--chain', 'c'], ['coding']],
  [['mai', 'unpin', ''], ['mine']],
  [['mai', 'status', ''], []],
] as const)('bash completes %j to %j', (words, offers) => {
  expect(complete(...words)).toEqual(offers);
});

(has('bash') ? test : test.skip)('bash neither executes a name nor splits it', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'mai completions '));
  writeFileSync(path.join(folder, 'my models.yaml'), '');
  const names = ['a/$(touch pwned)', 'a/`touch pwned`', 'a/two words', 'a/*'];
  const run = (...words: string[]) => {
    const script = `${scripts.bash}
mai() { printf '%s\\n' ${names.map((name) => `'${name}'`).join(' ')}; }
COMP_WORDS=(${words.map((word) => `'${word}'`).join(' ')})
COMP_CWORD=${words.length - 1}
_mai
printf '%s\\n' "\${COMPREPLY[@]}"`;
    const options = { encoding: 'utf8', cwd: folder } as const;
    return spawnSync('bash', ['-c', script], options).stdout.split('\n').filter(Boolean);
  };
  // bash receives the names with their special characters quoted.
  expect(run('mai', 'load', 'a/')).toEqual([
    'a/\\$\\(touch\\ pwned\\)',
    'a/\\`touch\\ pwned\\`',
    'a/two\\ words',
    'a/\\*',
  ]);
  expect(run('mai', 'status', '--config', 'my')).toEqual(['my models.yaml']);
  expect(existsSync(path.join(folder, 'pwned'))).toBe(false);
  rmSync(folder, { recursive: true });
});
