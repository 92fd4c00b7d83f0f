/* Writes and reads the text form of UUIDs. */
#include "ph_uuid.h"

const char *ph_uuid_text(ph_uuid uuid) {
    return ph_format(
        "%08lx-%04x-%04x-%04x-%012llx",
        (unsigned long)(uuid.high >> 32),
        (unsigned)(uuid.high >> 16 & 0xffff),
        (unsigned)(uuid.high & 0xffff),
        (unsigned)(uuid.low >> 48),
        (unsigned long long)(uuid.low & 0xffffffffffff)
    );
}

static int hex(char byte) {
    if (byte >= '0' && byte <= '9') return byte - '0';
    if (byte >= 'a' && byte <= 'f') return byte - 'a' + 10;
    if (byte >= 'A' && byte <= 'F') return byte - 'A' + 10;
    return -1;
}

bool ph_uuid_parse(const char *text, ph_uuid *uuid) {
    uint64_t halves[2] = {0, 0};
    size_t read = 0;
    for (size_t i = 0; i < 36; i++) {
        if (i == 8 || i == 13 || i == 18 || i == 23) {
            if (text[i] != '-') return false;
        } else {
            int value = hex(text[i]);
            if (value < 0) return false;
            uint64_t *half = &halves[read++ / 16];
            *half = *half << 4 | (uint64_t)value;
        }
    }
    *uuid = (ph_uuid){halves[0], halves[1]};
    return !text[36];
}

bool ph_uuid_equal(ph_uuid left, ph_uuid right) {
    return left.high == right.high && left.low == right.low;
}
