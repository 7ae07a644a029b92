import { isMap, isScalar, isSeq, type YAMLSeq } from 'yaml';
import type { ModelSection } from '../format/model-config-file.js';
import { removeLines, replaceValue } from './edit-map.js';
import { checked, type Editable, uneditable } from './editable.js';
import { withoutModel } from './edit-chains.js';
import {
  afterColon,
  columnOf,
  dashOffsets,
  endOfNode,
  fieldLines,
  inline,
  lineEnd,
  lineEnding,
  lineStart,
  pairOf,
  splice,
  startOfNode,
} from './yaml-source.js';

/** See `addConfiguredModel` in lazy.ts. */
export function addConfiguredModel(text: string, model: ModelSection): string {
  return checked(text, ({ root }) => {
    const fields = fieldLines(model);
    const models = pairOf(root, 'models');
    const list: unknown = models?.value;
    if (models === null || !isSeq(list))
      throw uneditable('models', 'it is an alias (*name), so write the list out first');
    const ending = lineEnding(text);
    const lines = fields.map((line, index) => `${index === 0 ? '- ' : '  '}${line}`);
    if (list.items.length === 0) {
      const [, listEnd] = list.range ?? [0, 0];
      const nameEnd = afterColon(text, models);
      const indent = ' '.repeat(columnOf(text, startOfNode(models.key)) + 2);
      const end = lineEnd(text, listEnd);
      const block = lines.map((line) => ending + indent + line).join('');
      return text.slice(0, nameEnd) + text.slice(listEnd, end) + block + text.slice(end);
    }
    if (list.flow === true) {
      const end = endOfNode(text, list.items.at(-1)) ?? 0;
      return splice(text, end, end, `, ${inline(model)}`);
    }
    const dashes = dashOffsets(list);
    const indent = ' '.repeat(columnOf(text, dashes[0] ?? 0));
    const end = lineEnd(text, endOfNode(text, list) ?? 0);
    const gap = isSpaced(text, dashes) ? ending : '';
    return splice(text, end, end, gap + lines.map((line) => ending + indent + line).join(''));
  });
}

/** See `removeConfiguredModel` in lazy.ts. */
export function removeConfiguredModel(text: string, modelKey: string): string {
  // The text is parsed again for each edit, because an edit changes the offsets.
  const unlisted = withoutModel(text, modelKey);
  return checked(unlisted, (source) => {
    const list: unknown = pairOf(source.root, 'models')?.value;
    if (!isSeq(list))
      throw uneditable('models', 'it is an alias (*name), so write the list out first');
    const index = list.items.findIndex((item) => {
      const key = isMap(item) ? pairOf(item, 'key')?.value : null;
      return isScalar(key) && key.value === modelKey;
    });
    return index < 0 ? unlisted : removeItem(source, list, index);
  });
}

function removeItem({ text, root }: Editable, list: YAMLSeq, index: number): string {
  const item = list.items[index];
  const end = endOfNode(text, item) ?? 0;
  const models = pairOf(root, 'models');
  if (list.items.length === 1 && models !== null) {
    if (list.flow === true) return replaceValue(text, models, []);
    // Writes `models: []` on the line of the key. The comments below that line stay.
    const nameEnd = afterColon(text, models);
    return splice(removeLines(text, dashOffsets(list)[0] ?? 0, end), nameEnd, nameEnd, ' []');
  }
  if (list.flow === true) {
    const next = list.items[index + 1];
    if (next !== undefined) return splice(text, startOfNode(item), startOfNode(next), '');
    return splice(text, endOfNode(text, list.items[index - 1]) ?? 0, end, '');
  }
  const dash = dashOffsets(list)[index] ?? 0;
  const start = lineStart(text, dash);
  const edited = removeLines(text, start, end);
  // The blank lines before and after the removed model are now adjacent, so one of them is removed.
  const before = edited.slice(0, start);
  const blank = /(\r?\n)\r?\n$/.exec(before);
  return blank !== null && (isBlankLine(edited, start) || start >= edited.length)
    ? splice(edited, start - (blank[1] ?? '').length, start, '')
    : edited;
}

function isBlankLine(text: string, offset: number): boolean {
  return text.slice(offset, lineEnd(text, offset)).trim() === '';
}

/** Whether there is a blank line between the last two items. */
function isSpaced(text: string, dashes: readonly number[]): boolean {
  const [previous, last] = dashes.slice(-2);
  return last !== undefined && previous !== undefined
    ? /\n[ \t]*\r?\n/.test(text.slice(previous, last))
    : false;
}
