import { isMap, isScalar, isSeq, type Node, type YAMLSeq } from 'yaml';
import type { ModelSection } from '../format/model-config-file.js';
import { removeLines, replaceValue } from './edit-map.js';
import { checked, type Editable, uneditable } from './editable.js';
import { withoutModel } from './edit-chains.js';
import {
  columnOf,
  dashOffsets,
  type EditValue,
  endOfNode,
  fieldLines,
  inline,
  lineEnd,
  lineEnding,
  lineStart,
  pairOf,
  splice,
} from './yaml-source.js';

/**
 * The text of a `models.yaml` with a model added after the others; nothing else changes.
 *
 * @throws ModelConfigError `CONFIG_INVALID` where the text, or the outcome, is not a valid configuration
 */
export function addConfiguredModel(text: string, model: ModelSection): string {
  return checked(text, ({ root }) => {
    const fields = fieldLines(model as unknown as Record<string, EditValue | undefined>);
    const models = pairOf(root, 'models');
    const list: unknown = models?.value;
    if (models === null || !isSeq(list)) throw uneditable('models', 'it is not a list');
    const ending = lineEnding(text);
    const lines = fields.map((line, index) => `${index === 0 ? '- ' : '  '}${line}`);
    if (list.items.length === 0) {
      const [, listEnd] = list.range ?? [0, 0];
      const nameEnd = text.indexOf(':', (models.key as Node).range?.[1] ?? 0) + 1;
      const indent = ' '.repeat(columnOf(text, (models.key as Node).range?.[0] ?? 0) + 2);
      const end = lineEnd(text, listEnd);
      const block = lines.map((line) => ending + indent + line).join('');
      return text.slice(0, nameEnd) + text.slice(listEnd, end) + block + text.slice(end);
    }
    if (list.flow === true) {
      const end = endOfNode(text, list.items.at(-1)) ?? 0;
      return splice(text, end, end, `, ${inline(model as unknown as EditValue)}`);
    }
    const dashes = dashOffsets(list);
    const indent = ' '.repeat(columnOf(text, dashes[0] ?? 0));
    const end = lineEnd(text, endOfNode(text, list) ?? 0);
    const gap = isSpaced(text, dashes) ? ending : '';
    return splice(text, end, end, gap + lines.map((line) => ending + indent + line).join(''));
  });
}

/**
 * The text of a `models.yaml` without this model, and without it in chains and pins; a chain that is
 * left empty goes too. Comments on lines of their own stay.
 *
 * @throws ModelConfigError `CONFIG_INVALID` where the text, or the outcome, is not a valid configuration
 */
export function removeConfiguredModel(text: string, modelKey: string): string {
  // Chains come after the models in a file, but the order of the edits does not matter: each one
  // starts from a document that is parsed again.
  const unlisted = withoutModel(text, modelKey);
  return checked(unlisted, (source) => {
    const list: unknown = pairOf(source.root, 'models')?.value;
    if (!isSeq(list)) throw uneditable('models', 'it is not a list');
    const index = list.items.findIndex((item) => {
      const key = isMap(item) ? pairOf(item, 'key')?.value : null;
      return isScalar(key) && key.value === modelKey;
    });
    return index < 0 ? unlisted : removeItem(source, list, index);
  });
}

function removeItem({ text, root }: Editable, list: YAMLSeq, index: number): string {
  const item = list.items[index] as Node;
  const end = endOfNode(text, item) ?? 0;
  const models = pairOf(root, 'models');
  if (list.items.length === 1 && models !== null) {
    if (list.flow === true) return replaceValue(text, models, []);
    // `models: []` on the line of the name; the comments below it stay where they are.
    const nameEnd = text.indexOf(':', (models.key as Node).range?.[1] ?? 0) + 1;
    return splice(removeLines(text, dashOffsets(list)[0] ?? 0, end), nameEnd, nameEnd, ' []');
  }
  if (list.flow === true) {
    const next = (list.items[index + 1] as Node | undefined)?.range?.[0];
    if (next !== undefined) return splice(text, item.range?.[0] ?? 0, next, '');
    return splice(text, endOfNode(text, list.items[index - 1]) ?? 0, end, '');
  }
  const dash = dashOffsets(list)[index] ?? 0;
  const start = lineStart(text, dash);
  const edited = removeLines(text, start, end);
  // One of the two blank lines that now meet goes with the model.
  const before = edited.slice(0, start);
  const blank = /(\r?\n)\r?\n$/.exec(before);
  return blank !== null && (isBlankLine(edited, start) || start >= edited.length)
    ? splice(edited, start - (blank[1] ?? '').length, start, '')
    : edited;
}

function isBlankLine(text: string, offset: number): boolean {
  return text.slice(offset, lineEnd(text, offset)).trim() === '';
}

/** Whether the last two items have a blank line between them. */
function isSpaced(text: string, dashes: readonly number[]): boolean {
  const [previous, last] = dashes.slice(-2);
  return last !== undefined && previous !== undefined
    ? /\n[ \t]*\r?\n/.test(text.slice(previous, last))
    : false;
}
