/* Checks for tests that run natively, on the SDK's files that need no host: `cc -Ipoolhouse plugin_test.c poolhouse/ph_*.c -lm &&
   ./a.out`. How a test stands in for the database, ph_database.h says. */
#ifndef PH_TEST_H
#define PH_TEST_H

#include "poolhouse.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int ph_checks, ph_failures;

/* Counts a check, and tells where one fails. */
#define ph_check(condition) ph_check_at((condition), #condition, __FILE__, __LINE__)

/* The same of two texts, either of which may be NULL. */
#define ph_check_text(got, expected) ph_check_text_at((got), (expected), #got, __FILE__, __LINE__)

static inline void ph_check_at(bool holds, const char *what, const char *file, int line) {
    ph_checks++;
    if (holds) return;
    ph_failures++;
    fprintf(stderr, "%s:%d: does not hold: %s\n", file, line, what);
}

static inline void ph_check_text_at(const char *got, const char *expected, const char *what, const char *file, int line) {
    ph_checks++;
    if (got == expected || (got && expected && strcmp(got, expected) == 0)) return;
    ph_failures++;
    fprintf(
        stderr, "%s:%d: %s\n  is        %s\n  should be %s\n", file, line, what, got ? got : "NULL", expected ? expected : "NULL"
    );
}

/* Tells how many checks there were; what main answers. */
static inline int ph_checked(void) {
    printf("%d passed, %d failed\n", ph_checks - ph_failures, ph_failures);
    return ph_failures ? EXIT_FAILURE : EXIT_SUCCESS;
}

#endif
