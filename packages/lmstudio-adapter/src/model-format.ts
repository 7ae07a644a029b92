/** The format in lower case. LM Studio's `safetensors` becomes `mlx`. */
export function toFormat(format: string): string {
  const lower = format.toLowerCase();
  return lower === 'safetensors' || lower === 'mlx_placeholder' ? 'mlx' : lower;
}
