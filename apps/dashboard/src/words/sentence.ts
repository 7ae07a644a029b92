/**
 * A phrase as the beginning of a sentence: with a capital letter, unless it begins with a name such as
 * `qwen/qwen3-8b`, which has no other spelling.
 * @param names - names that the phrase may begin with
 */
export function sentence(phrase: string, names: readonly (string | null)[] = []): string {
  const startsWithName =
    /^\w*[/@\d_-]/.test(phrase) ||
    names.some((name) => name !== null && name !== '' && phrase.startsWith(name));
  return startsWithName ? phrase : phrase.charAt(0).toUpperCase() + phrase.slice(1);
}
