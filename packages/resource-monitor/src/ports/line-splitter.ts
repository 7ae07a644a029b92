/** A line longer than this is not one of ours; what came of it is dropped. */
const MAX_LINE_CHARS = 256 * 1024;

/** Cuts chunks of text into lines, whatever the line ending; holds no more than one line. */
export function createLineSplitter(onLine: (line: string) => void): (chunk: string) => void {
  let rest = '';
  return (chunk) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    if (rest.length > MAX_LINE_CHARS) rest = '';
    for (const line of lines) onLine(line.endsWith('\r') ? line.slice(0, -1) : line);
  };
}
