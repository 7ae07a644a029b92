import type { FileTree } from '../src/ports/file-tree.js';

export interface FakeFileTree extends FileTree {
  /** The text of each file. A test may change a text at any time. */
  readonly contents: Map<string, string>;
  readonly links: Map<string, string>;
  /** Files whose reads never return, as with a driver that hangs. */
  readonly stuck: Set<string>;
  /** Files that this user may not open. */
  readonly forbidden: Set<string>;
  /** Number of files that are kept open. */
  readonly open: number;
}

/** A file tree in memory, because sysfs uses colons in names and not every OS allows them. */
export function createFakeFileTree(files: Readonly<Record<string, string>>): FakeFileTree {
  const contents = new Map(Object.entries(files));
  const links = new Map<string, string>();
  const stuck = new Set<string>();
  const forbidden = new Set<string>();
  const opened = new Set<object>();
  const text = (path: string): string | null => contents.get(path) ?? null;
  return {
    contents,
    links,
    stuck,
    forbidden,
    get open() {
      return opened.size;
    },
    readText: text,
    exists: (path) => [...contents.keys()].some((name) => `${name}/`.startsWith(`${path}/`)),
    mayOpen: (path) => contents.has(path) && !forbidden.has(path),
    readLink: (path) => links.get(path) ?? null,
    list(path) {
      const prefix = `${path}/`;
      const names = [...contents.keys()]
        .filter((name) => name.startsWith(prefix))
        .map((name) => name.slice(prefix.length).split('/')[0] ?? '');
      return [...new Set(names)];
    },
    keep(path) {
      const handle = {};
      const read = (): string | null => {
        const found = text(path);
        if (found === null) opened.delete(handle);
        else opened.add(handle);
        return found;
      };
      return {
        read,
        readLater: () =>
          stuck.has(path) ? new Promise<string | null>(() => undefined) : Promise.resolve(read()),
        close: () => opened.delete(handle),
      };
    },
  };
}
