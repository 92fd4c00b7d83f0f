/* Where the host's calls and memory meet the SDK's arena: each call's memory is given back when the next one begins. The host's build
   has every generated export begin with POOLHOUSE_CALL, and the generated code free nothing: see host_call.h. */
#include "ph_memory.h"

/* The generated code has a weak one of its own, which takes from malloc. */
__attribute__((export_name("cabi_realloc"))) void *cabi_realloc(void *old, size_t old_size, size_t align, size_t size);

void *cabi_realloc(void *old, size_t old_size, size_t align, size_t size) {
    if (size == 0) return (void *)align;
    unsigned char *taken = ph_alloc_for_host(size, align);
    const unsigned char *from = old;
    for (size_t i = 0; i < old_size && i < size; i++) taken[i] = from[i];
    return taken;
}
