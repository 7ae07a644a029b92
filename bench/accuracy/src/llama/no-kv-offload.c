// Keeps the KV cache in RAM: node-llama-cpp has no option for llama.cpp's `offload_kqv`. This library is loaded before
// llama.cpp (LD_PRELOAD), and changes the default in `llama_context_params`.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// Offset of `offload_kqv` in llama_context_params of llama.cpp v0.5.0, between `embeddings` (off) and `no_perf` (on).
#define OFFLOAD_KQV 129

static char library[4096];

static int find_llama(struct dl_phdr_info *info, size_t size, void *data) {
  (void)size;
  (void)data;
  if (strstr(info->dlpi_name, "libllama.") == NULL) return 0;
  snprintf(library, sizeof library, "%s", info->dlpi_name);
  return 1;
}

// A large struct is returned through a pointer, which is passed as the first argument and returned (System V ABI).
void *llama_context_default_params(void *params) {
  dl_iterate_phdr(find_llama, NULL);
  void *handle = dlopen(library, RTLD_NOLOAD | RTLD_LAZY);
  void *(*defaults)(void *) = handle ? (void *(*)(void *))dlsym(handle, "llama_context_default_params") : NULL;
  if (defaults == NULL) {
    fputs("no-kv-offload: llama.cpp was not found\n", stderr);
    abort();
  }
  defaults(params);
  unsigned char *bytes = params;
  if (bytes[OFFLOAD_KQV - 1] != 0 || bytes[OFFLOAD_KQV] != 1 || bytes[OFFLOAD_KQV + 1] != 1) {
    fputs("no-kv-offload: this is another version of llama.cpp\n", stderr);
    abort();
  }
  bytes[OFFLOAD_KQV] = 0;
  return params;
}
