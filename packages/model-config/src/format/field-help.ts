import { fieldDocs } from './field-types.js';
import { sections } from './file-schema.js';

/** A field of the file and its help text. */
export interface DescribedField {
  readonly name: string;
  readonly description: string;
  /** The value that applies if the field is not set; `null` if `description` contains the default. */
  readonly default: string | number | null;
}

/** The fields of a section in the order of the schema. */
export function describeFields(section: keyof typeof sections): readonly DescribedField[] {
  return Object.entries(sections[section]).map(([name, schema]) => {
    const help = fieldDocs.get(schema);
    if (help === undefined) throw new Error(`The field ${name} of ${section} has no help text.`);
    return { name, description: help.description, default: help.default ?? null };
  });
}
