/** A file that has each field of the format, with comments and alignment as people write them. */
export const EXAMPLE = `# my models
version: 1
models:
  - key: qwen/qwen3-4b-2507
    display_name: Qwen3 4B
    description: Fast general chat with reasoning
    category: medium              # small | medium | large
    min_memory_gb: 4
    min_vram_gb: 2
    context_window: 8192
    max_output_tokens: 2048
    capabilities: [chat, reasoning]
    load: { gpu_offload: max, flash_attention: true, kv_cache: q8_0, ttl: 10m }

  # the fallback
  - key: qwen/qwen3-1.7b
    quality: { tools: 0.3, chat: 0.4 }
    load:
      gpu_offload: 0.5
      kv_cache: { k: f16, v: q4_0 }
      cpu_experts: off
      parallel: 2
    simulate:
      footprint: 7.2GiB
      vram: 6.1GiB
      load_seconds: 9
      quality: 0.74
      rungs: [{ footprint: 6.0GiB, vram: 5.0GiB, quality: 0.72 }]

fallback_chains:
  default: [qwen/qwen3-4b-2507, qwen/qwen3-1.7b, 'downloaded:chat']
  coding:
    # first choice
    - qwen/qwen3-4b-2507@q8_0   # the better quantization
    - chain:default

switching:
  memory_percent: 82.5          # of RAM, or of a unified pool
  vram_percent: 90
  cpu_percent: 80
  upgrade_below_percent_min: 65
  hard_limit_percent: 92
  unified_hard_limit_percent: 85
  dwell: 20s
  cool_down: 1m30s
  min_headroom: 1.5 GiB
  idle: release
  drain_deadline: 45s
  foreign: evict-idle
  foreign_idle: 5m
  growth: charge
  goal: speed
  min_tokens_per_second: 7.5

rules:
  - when: { process: blender }
    then: { tier: small }
pins: [qwen/qwen3-1.7b]
`;
