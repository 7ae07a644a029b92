// The formula of llmfit for tokens per second, written from its published form: AlexsJones/llmfit, llmfit-core/src/fit.rs
// (`estimate_tps`) and models.rs (`quant_bytes_per_param`, `quant_speed_multiplier`), commit 00c461f. It has no formula for prompts.

const EFFICIENCY = 0.55;
const PLACE_FACTORS = { gpu: 1, 'experts on cpu': 0.8, partial: 0.5 };
const CPU_CONSTANT = 70;
const MANY_CORES = 1.1;
/** By quantization: bytes of a parameter, and the factor of speed where the bandwidth is not known. */
const QUANTIZATIONS = [
  [/^(f16|bf16)$/i, 2, 0.6],
  [/^q8_0|8bit/i, 1, 0.8],
  [/^q6_k/i, 0.75, 0.95],
  [/^q5_k/i, 0.625, 1],
  [/^q3_k/i, 0.375, 1.25],
  [/^q2_k/i, 0.25, 1.35],
  [/^(q4_k_m|q4_0)|4bit/i, 0.5, 1.15],
  [/^/, 0.5, 1],
];

/** Tokens per second of one generated token. The processor is taken to have eight cores or more. */
export function llmfitSpeed(record) {
  const billions = Math.max(0.1, record.activeParams / 1e9);
  const [, bytes, factor] = QUANTIZATIONS.find(([name]) => name.test(record.quant ?? ''));
  const place = PLACE_FACTORS[record.class];
  if (place === undefined || record.memoryBandwidthGBs === null)
    return (CPU_CONSTANT / billions) * factor * MANY_CORES;
  return (record.memoryBandwidthGBs / (billions * bytes)) * EFFICIENCY * place;
}
