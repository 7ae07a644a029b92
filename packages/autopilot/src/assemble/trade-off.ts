import type { KvCacheType } from '@mai/memory-ledger';

/** One thing that a cheaper load option gives up compared with the configured one. */
export type TradeOff =
  | { readonly kind: 'shorter-context'; readonly fromTokens: number; readonly toTokens: number }
  /** The KV cache is less precise. `null` is the runtime's default. */
  | {
      readonly kind: 'kv-cache-type';
      readonly fromK: KvCacheType | null;
      readonly fromV: KvCacheType | null;
      readonly toK: KvCacheType;
      readonly toV: KvCacheType;
    }
  /** The results differ in the last bits from those without flash attention. */
  | { readonly kind: 'flash-attention' }
  /** The model is slower. `ratio` is the share of the expert layers on the CPU, 0 to 1. */
  | { readonly kind: 'experts-on-cpu'; readonly ratio: number }
  /** The model is slower. `ratio` is the share of the layers that stays on the GPU, 0 to 1. */
  | { readonly kind: 'less-offload'; readonly ratio: number };
