/** A quantization in a file name, e.g. `Q4_K_M`, `IQ3_XXS`, `MXFP4`, `NVFP4`, `4bit`. */
const QUANTIZATION =
  /(?:^|[-_.@])((?:UD-)?(?:I?Q[1-8](?:_[0-9A-Z]+)*|TQ[12]_0|MXFP4(?:_MOE)?|MXFP8|NVFP4|BF16|F16|F32|FP16|(?:\d+\.\d+|[1-8])BIT))(?=$|[-_.])/gi;

/** The quantization in a file or folder name, in upper case; `null`: not in the name. */
export function quantizationIn(name: string): { name: string; bits: number | null } | null {
  const last = [...name.replace(/\.gguf$/i, '').matchAll(QUANTIZATION)].at(-1)?.[1];
  if (last === undefined) return null;
  const upper = last.toUpperCase();
  const digits = /\d+(?:\.\d+)?/.exec(upper)?.[0];
  return { name: upper, bits: digits === undefined ? null : Number(digits) };
}

/**
 * The number of parameters in a file or folder name, e.g. `7B`, `30B-A3B`; `null`: not in the
 * name.
 */
export function parametersIn(name: string): string | null {
  const match = /(?:^|[-_ .])((?:\d+x)?\d+(?:\.\d+)?[bm](?:-a\d+(?:\.\d+)?b)?)(?=$|[-_ .])/i.exec(
    name,
  );
  return match?.[1]?.toUpperCase().replace('X', 'x') ?? null;
}

/**
 * Whether a path looks like an embedding model's. Only the name is used, because the header is
 * not read. 'Embedded', as in openPangu-Embedded, means a model for small devices.
 */
export function looksLikeEmbedding(path: string): boolean {
  return /embed(?!ded)|(?:^|[/_-])(?:bge|e5|gte|minilm)(?=[-_])/i.test(path);
}

/**
 * The model key that LM Studio gives a file outside its catalogue: the repository's name in lower case without
 * `-GGUF`. Embedding models get `text-embedding-` before this name. Models of a repository with several models get
 * `@quantization` after this name.
 */
export function keyOfFile(
  repository: string,
  quantization: string | null,
  options: { readonly embedding: boolean; readonly onlyOne: boolean },
): string {
  const base = repository.toLowerCase().replace(/[-_.]gguf$/, '');
  const prefix = options.embedding && !base.startsWith('text-embedding-') ? 'text-embedding-' : '';
  const suffix = options.onlyOne || quantization === null ? '' : `@${quantization.toLowerCase()}`;
  return `${prefix}${base}${suffix}`;
}
