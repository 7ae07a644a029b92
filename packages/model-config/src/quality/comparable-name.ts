// Names of the same model differ by publisher, file type and quantization: `Qwen/Qwen3-4B-Instruct-2507`,
// `qwen/qwen3-4b-2507`, `Qwen3 4B 2507`.

/** Words that name no other model: the format, the publisher, and that a model was trained to chat. */
const IGNORED_WORD =
  /^(it|inst|instruct|chat|hf|gguf|mlx|meta|nvidia|ai21|c4ai|imatrix|i1|ud|qat|moe|awq|gptq|a\d+(\.\d+)?b)$/;

/** The type of the weights: `Q4_K_M`, `IQ2_XXS`, `MXFP4`, `BF16`, `4bit`. */
const QUANTIZATION =
  /(?<![a-z0-9])(i?q\d(_[a-z\d]+)*|mxfp4(_moe)?|nvfp4|bf16|fp?(8|16|32)|\d-?bit)(?![a-z0-9])/g;

/** The mode that follows a name in the published results. */
const MODE = /\((non-reasoning|reasoning|low|medium|high)\)/g;

/** A size such as `8b`, `0.6b`, `8x7b` or `270m`. */
const SIZE_WORD = /^(e?\d+(\.\d+)?[bm]|\d+x\d+b)$/;

/** Some publishers put the maker's name in front: `google_gemma-3-4b-it`. */
const PUBLISHER_PREFIX = /^[a-z][a-z-]*_(?=[a-z])/;

/** Families of the published results. The first pattern that fits a name applies. */
const FAMILIES: readonly (readonly [family: string, pattern: RegExp])[] = [
  ['DeepSeek distill', /deepseek/],
  ['Hermes', /hermes/],
  ['Nemotron', /nemotron/],
  ['gpt-oss', /gpt-oss/],
  // The architectures of Qwen3.5 are `qwen35` and `qwen3_5`. `qwen3-5b` would be a size.
  ['Qwen3.x', /qwen-?3(\.\d|-?[56](?![\d.]*b))/],
  ['Qwen3', /qwen-?3/],
  ['Qwen2.5', /qwen-?2/],
  ['Qwen1', /qwen/],
  ['Gemma4', /gemma-?4/],
  ['Gemma', /gemma/],
  ['Mistral', /mi[sx]tral|(mini|magi|math|dev|code)stral|pixtral/],
  ['Llama', /llama/],
  ['Phi', /\bphi(?![a-z])/],
  ['Granite', /granite/],
  ['OLMo', /olmo/],
  ['LFM', /\blfm/],
  ['EXAONE', /exaone/],
  ['GLM', /\bglm/],
  ['Jamba', /jamba/],
  ['Cohere', /command|\baya\b|cohere/],
];

/** The words of a name that tell models apart, sorted and joined. It is equal for two names of one model. */
export function comparableName(name: string): string {
  return wordsOf(name).sort().join(' ');
}

/** The words of a comparable name that state no size. Splitting a name takes a tenth of the time of `comparableName`. */
export function wordsWithoutSizes(comparable: string): ReadonlySet<string> {
  return new Set(comparable.split(' ').filter((word) => word !== '' && !SIZE_WORD.test(word)));
}

/** A comparable name without the words that state a size. */
export function withoutSizes(comparable: string): string {
  return [...wordsWithoutSizes(comparable)].join(' ');
}

/** The family of the published results to which a name belongs; `null`: none of them. */
export function familyOf(name: string): string | null {
  const text = name.toLowerCase().replaceAll(/[\s_]+/g, '-');
  return FAMILIES.find(([, pattern]) => pattern.test(text))?.[0] ?? null;
}

/** The family of the published results to which the models of an architecture belong; `null`: none, or not only one. */
export function familyOfArchitecture(architecture: string | null): string | null {
  // Models of many makers have the architectures of Llama and DeepSeek V3.
  if (architecture === null || /^(llama$|deepseek)/.test(architecture)) return null;
  return familyOf(architecture);
}

/** How many words are in both names, less the words that are in only one of them. */
export function similarityOf(words: ReadonlySet<string>, others: ReadonlySet<string>): number {
  let shared = 0;
  for (const word of words) if (others.has(word)) shared += 1;
  return 3 * shared - words.size - others.size;
}

/**
 * The month in a name of the form YYMM (`2507`: July 2025), as a date in the middle of the month; `null`: the
 * name has none.
 */
export function dateInName(name: string): string | null {
  const [, year, month] = /(?:^|[^a-z\d.])(2[3-9])(0[1-9]|1[0-2])(?![a-z\d.])/i.exec(name) ?? [];
  return year === undefined ? null : `20${year}-${month}-15`;
}

function wordsOf(name: string): string[] {
  const withoutVariant = name.toLowerCase().replace(/@.*$/, '').replace(MODE, '');
  // Hugging Face writes publisher/name/path, LM Studio publisher/name or the name alone, Ollama name:size.
  const parts = withoutVariant.split('/');
  return (
    (parts[1] ?? parts[0] ?? '')
      .replace(/\.gguf$/, '')
      .replace(PUBLISHER_PREFIX, '')
      .replace(QUANTIZATION, '')
      // `gemma3` and `gemma 3` are the same name, and `llama-3_3` is 3.3.
      .replace(/(?<![a-z\d])([a-z]{2,})(?=\d)/g, '$1-')
      .replace(/(?<=\d)_(?=\d)/g, '.')
      // `granite-4` is Granite 4.0.
      .replace(/(?<![\d.])(\d+)\.0(?![\d.b])/g, '$1')
      .split(/[\s()_:-]+|\.(?!\d)/)
      .filter((word) => word !== '' && !IGNORED_WORD.test(word))
  );
}
