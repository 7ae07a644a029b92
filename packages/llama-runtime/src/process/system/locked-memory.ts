import { readFile } from 'node:fs/promises';

/** Memory that a process has locked (mlock), in bytes; `null`: not known, as outside Linux. */
export async function lockedBytesOf(pid: number): Promise<number | null> {
  const text = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  const kibibytes = /^VmLck:\s+(\d+) kB$/m.exec(text)?.[1];
  return kibibytes === undefined ? null : Number(kibibytes) * 1024;
}
