/** Names of vector instructions in llama.cpp's system info: x86, Arm, POWER, RISC-V, LoongArch, z/Architecture, WebAssembly. */
const VECTOR = /\b(?:AVX\w*|NEON|SVE|VSX|RISCV_V\w*|RVV\w*|LASX|LSX|VXE\w*|WASM_SIMD) = 1\b/;

/**
 * Whether a build of llama.cpp uses vector instructions of the CPU: `llama_print_system_info` lists those that it was compiled
 * with.
 */
export function usesVectorInstructions(systemInfo: string): boolean {
  return VECTOR.test(systemInfo);
}
