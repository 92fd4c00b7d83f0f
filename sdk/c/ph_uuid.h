/* UUIDs as two halves and as text; how they are made is not its business. */
#ifndef PH_UUID_H
#define PH_UUID_H

#include "ph_memory.h"

/* 128 bits, most significant half first. */
typedef struct ph_uuid {
    uint64_t high, low;
} ph_uuid;

/* As `0188d5a2-…`, 36 characters in lower case, until the call ends. */
const char *ph_uuid_text(ph_uuid uuid);

/* Reads the 36 characters in either case; answers false where the text is no UUID. */
bool ph_uuid_parse(const char *text, ph_uuid *uuid);

bool ph_uuid_equal(ph_uuid left, ph_uuid right);

#endif
