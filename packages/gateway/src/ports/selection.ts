/** The part of a decision that the gateway reads. A `Selection` of `@mai/selector` satisfies this type. */
export interface Selection {
  readonly decision: string;
  readonly rejected: readonly {
    readonly modelKey: string;
    readonly rejection: {
      readonly code: string;
      /** With `MISSING_CAPABILITY`: the capabilities that the model lacks. */
      readonly missing?: readonly string[] | undefined;
      /** With `ENGINE_REFUSES`: why the file cannot be loaded, as a clause whose subject is the file. */
      readonly refusal?: { readonly reason: string } | undefined;
      /** With `COOLING_DOWN_AFTER_FAILURE`: milliseconds until the model is tried again. */
      readonly remainingMs?: number | undefined;
    };
  }[];
}
