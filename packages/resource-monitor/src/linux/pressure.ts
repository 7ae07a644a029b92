import type { FileTree, KeptFile } from '../ports/file-tree.js';
import type { Reader } from '../reading/reader.js';
import type { PressureSnapshot } from '../snapshot.js';
import type { FindCgroup } from './cgroups/cgroup-folders.js';

/**
 * Reads pressure stall information of this process's control group, or of the machine if the group does not
 * report it. See Documentation/accounting/psi.rst of the kernel.
 */
export function linuxPressure(
  files: FileTree,
  findCgroup: FindCgroup,
): readonly (Reader<PressureSnapshot> & { close(): void })[] {
  const cgroup = findCgroup('memory');
  const own = cgroup?.version === 2 ? (cgroup.folders[0] ?? null) : null;
  return [
    ...(own === null
      ? []
      : [stallReader('cgroup memory.pressure', files.keep(`${own}/memory.pressure`))]),
    stallReader('/proc/pressure/memory', files.keep('/proc/pressure/memory')),
  ];
}

function stallReader(source: string, file: KeptFile): Reader<PressureSnapshot> & { close(): void } {
  return {
    source,
    read: () => {
      const text = file.read();
      const someRatio = averageOf(text, 'some');
      if (someRatio === null)
        return { reason: 'the kernel records no pressure (boot option psi=1 enables it)' };
      const stall = { someRatio, fullRatio: averageOf(text, 'full') ?? 0 };
      return { value: { stall, level: null, commit: null } };
    },
    close: () => file.close(),
  };
}

function averageOf(text: string | null, kind: 'some' | 'full'): number | null {
  const percent = new RegExp(`^${kind} avg10=([\\d.]+)`, 'm').exec(text ?? '')?.[1];
  const ratio = percent === undefined ? Number.NaN : Number(percent) / 100;
  return ratio >= 0 && ratio <= 1 ? ratio : null;
}
