/* Dates, times and timestamps of the database as numbers, and what to make of them; time zones other than UTC are not its business. */
#ifndef PH_TIME_H
#define PH_TIME_H

#include "ph_memory.h"

#include <time.h>

/* PostgreSQL's `infinity` and `-infinity`. They are no dates: what makes a `struct tm` of one answers false. */
#define PH_TIMESTAMP_INFINITY INT64_MAX
#define PH_TIMESTAMP_MINUS_INFINITY INT64_MIN
#define PH_DATE_INFINITY INT32_MAX
#define PH_DATE_MINUS_INFINITY INT32_MIN

/* Microseconds since 1970-01-01T00:00:00Z, of the plugin's clock. */
int64_t ph_now(void);

/* A timestamp, microseconds since 1970-01-01T00:00:00Z, as date and time in UTC; microseconds are cut off, see ph_microseconds. Answers
   false for the infinities, and for a year that an int does not hold. */
bool ph_timestamp_to_tm(int64_t timestamp, struct tm *time);

/* The timestamp of a date and time in UTC, whose fields are taken as they are, also out of their range as mktime does. */
int64_t ph_timestamp_of_tm(const struct tm *time);

/* The microseconds, 0 to 999,999, of a timestamp's second. */
int32_t ph_microseconds(int64_t timestamp);

/* The same instant to the microsecond. Nanoseconds below it are cut off. */
struct timespec ph_timestamp_to_timespec(int64_t timestamp);
int64_t ph_timestamp_of_timespec(struct timespec time);

/* ISO 8601 as `2024-02-29T01:00:00Z`, with a fraction where there is one; `infinity` and `-infinity`. */
const char *ph_timestamp_text(int64_t timestamp);

/* Reads `2024-02-29T01:00:00Z`, with a fraction of up to six digits, `+01:00` instead of `Z`, or a blank instead of `T`; answers false
   where the text is none, or is no date. */
bool ph_timestamp_parse(const char *text, int64_t *timestamp);

/* A date is days since 1970-01-01, negative before it, in the proleptic Gregorian calendar. */
int32_t ph_date_of(int64_t year, int month, int day);
/* As `2024-02-29`; `infinity` and `-infinity`. */
const char *ph_date_text(int32_t date);
bool ph_date_parse(const char *text, int32_t *date);
/* The day that a timestamp is in. */
int32_t ph_timestamp_date(int64_t timestamp);

/* A time is microseconds since midnight, 0 to 86,400,000,000, as `23:59:59.5`. */
const char *ph_time_text(int64_t time);
bool ph_time_parse(const char *text, int64_t *time);

#endif
