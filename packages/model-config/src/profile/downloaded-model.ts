/** LM Studio's facts about a downloaded model. Unknown is `null`. */
export interface DownloadedModel {
  readonly modelKey: string;
  readonly kind: 'llm' | 'embedding';
  readonly displayName: string;
  readonly architecture: string | null;
  readonly quantization: { readonly name: string; readonly bits: number | null } | null;
  readonly sizeBytes: number;
  /** Number of parameters, e.g. `4B`, `30B-A3B` or `270M`. */
  readonly parameters: string | null;
  readonly maxContextLengthTokens: number | null;
  readonly vision: boolean;
  readonly toolUse: boolean;
  /** Can think before it answers. `null`: not known. */
  readonly reasoning: boolean | null;
  readonly variants: readonly string[];
  readonly selectedVariant: string | null;
  readonly deviceIdentifier: string | null;
}
