/* Arithmetic on the digits of decimal texts, as it is done on paper. */
#include "ph_decimal.h"

#include <string.h>

/* A number as digits without sign and point, the most significant first. */
typedef struct digits {
    const char *list;
    size_t count, scale;
    bool negative;
} digits;

static size_t run(const char *text) {
    size_t length = 0;
    while (text[length] >= '0' && text[length] <= '9') length++;
    return length;
}

bool ph_is_decimal(const char *text) {
    text += *text == '-';
    size_t whole = run(text);
    if (!whole) return false;
    text += whole;
    if (*text == '.') {
        size_t fraction = run(text + 1);
        if (!fraction) return false;
        text += 1 + fraction;
    }
    return !*text;
}

static digits parse(const char *function, const char *text) {
    if (!text || !ph_is_decimal(text)) {
        ph_panic("%s: `%s` is no decimal number; look at it with ph_is_decimal first", function, text ? text : "NULL");
    }
    digits parsed = {.negative = *text == '-'};
    text += parsed.negative;
    const char *point = strchr(text, '.');
    size_t whole = run(text);
    parsed.scale = point ? strlen(point + 1) : 0;
    parsed.count = whole + parsed.scale;
    char *list = ph_alloc(parsed.count + 1);
    memcpy(list, text, whole);
    if (point) memcpy(list + whole, point + 1, parsed.scale);
    parsed.list = list;
    return parsed;
}

static bool is_zero(digits number) {
    for (size_t i = 0; i < number.count; i++) {
        if (number.list[i] != '0') return false;
    }
    return true;
}

/* The digit that counts 10^exponent. */
static int digit(digits number, long long exponent) {
    long long index = (long long)number.count - (long long)number.scale - 1 - exponent;
    return index < 0 || index >= (long long)number.count ? 0 : number.list[index] - '0';
}

/* The text, without zeros in front, and without a sign at 0. */
static const char *written(digits number) {
    size_t whole = number.count - number.scale;
    size_t skipped = 0;
    while (skipped + 1 < whole && number.list[skipped] == '0') skipped++;
    char *text = ph_alloc(number.count + 4);
    char *end = text;
    if (number.negative && !is_zero(number)) *end++ = '-';
    if (!whole) *end++ = '0';
    memcpy(end, number.list + skipped, whole - skipped);
    end += whole - skipped;
    if (number.scale) {
        *end++ = '.';
        memcpy(end, number.list + whole, number.scale);
    }
    return text;
}

static size_t larger(size_t left, size_t right) {
    return left > right ? left : right;
}

static int compare_sizes(digits left, digits right) {
    long long top = (long long)larger(left.count - left.scale, right.count - right.scale) - 1;
    long long bottom = -(long long)larger(left.scale, right.scale);
    for (long long exponent = top; exponent >= bottom; exponent--) {
        int difference = digit(left, exponent) - digit(right, exponent);
        if (difference) return difference;
    }
    return 0;
}

static const char *sum(digits left, digits right) {
    bool subtracts = left.negative != right.negative;
    if (subtracts && compare_sizes(left, right) < 0) {
        digits swapped = left;
        left = right;
        right = swapped;
    }
    digits result = {.scale = larger(left.scale, right.scale), .negative = left.negative};
    size_t whole = larger(left.count - left.scale, right.count - right.scale) + 1;
    result.count = whole + result.scale;
    char *list = ph_alloc(result.count + 1);
    int carry = 0;
    for (size_t i = 0; i < result.count; i++) {
        long long exponent = (long long)i - (long long)result.scale;
        int value = digit(left, exponent) + (subtracts ? -digit(right, exponent) : digit(right, exponent)) + carry;
        carry = value < 0 ? -1 : value / 10;
        list[result.count - 1 - i] = (char)('0' + (value + 10) % 10);
    }
    result.list = list;
    return written(result);
}

const char *ph_decimal_add(const char *left, const char *right) {
    return sum(parse(__func__, left), parse(__func__, right));
}

const char *ph_decimal_subtract(const char *left, const char *right) {
    digits taken = parse(__func__, right);
    taken.negative = !taken.negative;
    return sum(parse(__func__, left), taken);
}

const char *ph_decimal_multiply(const char *left, const char *right) {
    digits a = parse(__func__, left), b = parse(__func__, right);
    digits product = {.count = a.count + b.count, .scale = a.scale + b.scale, .negative = a.negative != b.negative};
    char *list = ph_alloc(product.count + 1);
    for (size_t i = a.count; i-- > 0;) {
        int carry = 0;
        size_t at = i + b.count;
        for (size_t j = b.count; j-- > 0; at--) {
            int value = list[at] + (a.list[i] - '0') * (b.list[j] - '0') + carry;
            list[at] = (char)(value % 10);
            carry = value / 10;
        }
        list[at] = (char)carry;
    }
    for (size_t i = 0; i < product.count; i++) list[i] = (char)(list[i] + '0');
    product.list = list;
    return written(product);
}

int ph_decimal_compare(const char *left, const char *right) {
    digits a = parse(__func__, left), b = parse(__func__, right);
    int signs = (is_zero(a) ? 0 : a.negative ? -1 : 1) - (is_zero(b) ? 0 : b.negative ? -1 : 1);
    if (signs) return signs;
    return a.negative ? compare_sizes(b, a) : compare_sizes(a, b);
}

int ph_decimal_sign(const char *number) {
    digits parsed = parse(__func__, number);
    return is_zero(parsed) ? 0 : parsed.negative ? -1 : 1;
}

const char *ph_decimal_negate(const char *number) {
    digits parsed = parse(__func__, number);
    parsed.negative = !parsed.negative;
    return written(parsed);
}

const char *ph_decimal_round(const char *number, size_t scale, ph_rounding rounding) {
    digits parsed = parse(__func__, number);
    digits result = {.scale = scale, .count = parsed.count - parsed.scale + scale, .negative = parsed.negative};
    char *list = ph_alloc(result.count + 1);
    for (size_t i = 0; i < result.count; i++) {
        list[result.count - 1 - i] = (char)('0' + digit(parsed, (long long)i - (long long)scale));
    }
    result.list = list;
    if (scale >= parsed.scale || rounding == PH_DOWN) return written(result);
    int first = digit(parsed, -(long long)scale - 1);
    bool exact = true;
    for (size_t i = scale + 1; i < parsed.scale; i++) exact = exact && digit(parsed, -(long long)i - 1) == 0;
    bool odd = digit(result, -(long long)scale) % 2;
    if (first < 5 || (first == 5 && exact && rounding == PH_HALF_EVEN && !odd)) return written(result);
    /* One unit of the last digit, away from 0. */
    char *unit = ph_alloc(scale + 2);
    memset(unit, '0', scale + 1);
    unit[scale] = '1';
    return sum(result, (digits){unit, scale + 1, scale, result.negative});
}

size_t ph_decimal_scale(const char *number) {
    return parse(__func__, number).scale;
}

const char *ph_decimal_of(int64_t number) {
    return ph_format("%lld", (long long)number);
}

bool ph_decimal_to_int64(const char *number, int64_t *whole) {
    digits parsed = parse(__func__, number);
    uint64_t size = 0;
    for (long long exponent = (long long)(parsed.count - parsed.scale) - 1; exponent >= 0; exponent--) {
        unsigned next = (unsigned)digit(parsed, exponent);
        if (size > (UINT64_MAX - next) / 10) return false;
        size = size * 10 + next;
    }
    for (size_t i = 0; i < parsed.scale; i++) {
        if (digit(parsed, -(long long)i - 1)) return false;
    }
    if (size > (uint64_t)INT64_MAX + parsed.negative) return false;
    *whole = parsed.negative ? (int64_t)(0 - size) : (int64_t)size;
    return true;
}
