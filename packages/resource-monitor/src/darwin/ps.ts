import type { ProcessEntry } from '../reading/engine-names.js';

/** Arguments that print one line per process, without a heading. */
export const PS_ARGUMENTS = ['-axo', 'pid=,ppid=,time=,rss=,comm='] as const;

/** One line of ps(1). */
export interface PsEntry extends ProcessEntry {
  readonly cpuMs: number;
  readonly residentBytes: number;
}

/** Reads the output of ps(1). On macOS `comm` is the program's full path. */
export function parsePs(text: string): readonly PsEntry[] {
  return text.split('\n').flatMap((line): PsEntry[] => {
    const match = /^\s*(\d+)\s+(\d+)\s+([\d:.-]+)\s+(\d+)\s+(.+?)\s*$/.exec(line);
    if (match === null) return [];
    const [, processId, parentId, time = '', kibibytes, program = ''] = match;
    return [
      {
        processId: Number(processId),
        parentId: Number(parentId),
        name: program.split('/').at(-1) ?? program,
        program,
        cpuMs: millisecondsOf(time),
        residentBytes: Number(kibibytes) * 1024,
      },
    ];
  });
}

/** Reads `1:02.03`, `2:01:02` or `3-02:01:02`. */
function millisecondsOf(time: string): number {
  const [days, clock] = time.includes('-') ? time.split('-') : ['0', time];
  const parts = (clock ?? '').split(':').map(Number);
  const seconds = parts.reduce((sum, part) => sum * 60 + part, 0);
  return Math.round((Number(days) * 86_400 + seconds) * 1000);
}
