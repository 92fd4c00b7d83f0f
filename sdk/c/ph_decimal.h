/* Exact decimal numbers in the contract's text form: optional `-`, digits, optional `.` and digits, of any length. Nothing rounds
   unless it is asked to.

   The functions trap on a text that is no such number: what a caller hands in is looked at with ph_is_decimal first, and what
   ph_row_decimal answers is one. Their answers live until the call ends. */
#ifndef PH_DECIMAL_H
#define PH_DECIMAL_H

#include "ph_memory.h"

/* Whether the text is such a number. `NaN`, `Infinity`, exponents, `+1`, `.5` and `1.` are not. */
bool ph_is_decimal(const char *text);

/* Exact. The larger scale is kept: 1.50 + 1 = 2.50. */
const char *ph_decimal_add(const char *left, const char *right);
const char *ph_decimal_subtract(const char *left, const char *right);

/* Exact. The scales are added: 1.50 × 2.0 = 3.000. */
const char *ph_decimal_multiply(const char *left, const char *right);

/* Below 0, 0 or above 0 as left is less than, equal to or greater than right; 1.50 equals 1.5. */
int ph_decimal_compare(const char *left, const char *right);

/* -1, 0 or 1. */
int ph_decimal_sign(const char *number);

const char *ph_decimal_negate(const char *number);

/* How a number is made to fit fewer digits. */
typedef enum ph_rounding {
    /* A bank's: an exact half goes to the even digit. */
    PH_HALF_EVEN,
    /* A shop's: an exact half goes away from 0. */
    PH_HALF_UP,
    /* Cuts off. */
    PH_DOWN,
} ph_rounding;

/* With that many digits after the point. */
const char *ph_decimal_round(const char *number, size_t scale, ph_rounding rounding);

/* Digits after the point: 1.50 has two. */
size_t ph_decimal_scale(const char *number);

const char *ph_decimal_of(int64_t number);

/* Answers false if it is no whole number, or does not fit. 3.00 is 3. */
bool ph_decimal_to_int64(const char *number, int64_t *whole);

#endif
