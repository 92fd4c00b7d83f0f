/* What the host's build puts in front of the generated bindings, so that their memory is the SDK's. */
#ifndef HOST_CALL_H
#define HOST_CALL_H

#include <stdlib.h>
#include <string.h>

#include "ph_memory.h"

static inline void host_call_end(int *began) {
    (void)began;
    ph_call_end();
}

/* First in each export: the call ends wherever the export returns. */
#define POOLHOUSE_CALL __attribute__((cleanup(host_call_end), unused)) int poolhouse_call = (ph_call_begin(), 0)

/* What the bindings would free is the arena's, which is given back as a whole. */
#define free(pointer) ((void)(pointer))

#endif
