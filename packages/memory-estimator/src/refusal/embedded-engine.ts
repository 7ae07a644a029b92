/**
 * The architectures of the embedded engine, by their names in `general.architecture`. Source: LLM_ARCH_NAMES in
 * llama-arch.cpp of llama.node 1.7.15, without `gptj`, which it refuses as not supported.
 */
export const EMBEDDED_ARCHITECTURES: ReadonlySet<string> = new Set(
  [
    'llama llama4 deci falcon grok gpt2 gptneox mpt baichuan starcoder refact bert modern-bert',
    'nomic-bert nomic-bert-moe neo-bert jina-bert-v2 jina-bert-v3 eurobert bloom stablelm qwen qwen2',
    'qwen2moe qwen2vl qwen3 qwen3moe qwen3next qwen3vl qwen3vlmoe qwen35 qwen35moe phi2 phi3 phimoe plamo',
    'plamo2 plamo3 codeshell orion internlm2 minicpm minicpm3 gemma gemma2 gemma3 gemma3n gemma4',
    'gemma4-assistant gemma-embedding starcoder2 mamba mamba2 jamba falcon-h1 xverse command-r cohere2',
    'cohere2moe dbrx olmo olmo2 olmoe openelm arctic deepseek deepseek2 deepseek2-ocr deepseek32',
    'deepseek4 chatglm glm4 glm4moe glm-dsa bitnet t5 t5encoder jais jais2 nemotron nemotron_h',
    'nemotron_h_moe exaone exaone4 exaone-moe rwkv6 rwkv6qwen2 rwkv7 arwkv7 granite granitemoe',
    'granitehybrid chameleon wavtokenizer-dec plm bailingmoe bailingmoe2 dots1 arcee afmoe laguna',
    'ernie4_5 ernie4_5-moe hunyuan-moe hunyuan-dense hunyuan_vl hy_v3 smollm3 gpt-oss lfm2 lfm2moe dream',
    'smallthinker llada llada-moe seed_oss grovemoe apertus minimax-m2 minimax-m3 cogvlm rnd1',
    'pangu-embedded mistral3 eagle3 dflash mistral4 paddleocr mimo2 step35 llama-embed maincoder',
    'kimi-linear talkie mellum nanbeige',
  ].flatMap((line) => line.split(' ')),
);

/**
 * The values of `tokenizer.ggml.pre` that the embedded engine reads for a tokenizer with merges. Each was tried with
 * llama.node 1.7.15.
 */
export const EMBEDDED_PRE_TOKENIZERS: ReadonlySet<string> = new Set(
  [
    'default llama3 llama-v3 llama-bpe falcon3 falcon-h1 pixtral midm-2.0 lfm2 jina-v5-nano deepseek-llm',
    'deepseek-coder deepseek-v3 youtu falcon mpt starcoder gpt-2 phi-2 jina-es jina-de gigachat jina-v2-es',
    'jina-v2-de a.x-4.0 mellum modern-bert jais-2 granite-embed-multi-311m sarvam-moe jina-v1-en',
    'jina-v2-code roberta-bpe refact command-r deepseek-r1-qwen kormo f2llmv2 qwen35 qwen2 stablelm2 olmo',
    'dbrx smaug-bpe poro-chat glm4 chatglm-bpe viking jais tekken smollm codeshell bloom gpt3-finnish',
    'exaone exaone4 exaone-moe chameleon minerva-7b megrez gpt-4o kanana2 talkie granite-embed-multi-97m',
    'tiny_aya cohere2moe superbpe trillion granite-docling bailingmoe bailingmoe2 llada-moe seed-coder',
    'hunyuan hunyuan-dense joyai-llm grok-2 afmoe laguna minimax-m2 minicpm5 solar-open mellum2 kimi-k2',
    'gemma4',
  ].flatMap((line) => line.split(' ')),
);
