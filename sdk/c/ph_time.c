/* The Gregorian calendar in both directions, and ISO 8601. */
#include "ph_time.h"

#include <limits.h>
#include <string.h>

#define SECOND INT64_C(1000000)
#define DAY (86400 * SECOND)

static int64_t floor_divide(int64_t number, int64_t by) {
    return number / by - (number % by < 0);
}

/* Days since 1970-01-01 of a day in the civil calendar; the year begins in March, so that a leap day is its last. */
static int64_t days_of(int64_t year, int month, int day) {
    year -= month <= 2;
    int64_t era = floor_divide(year, 400);
    int64_t year_of_era = year - era * 400;
    int64_t day_of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719468;
}

static void civil_of(int64_t days, int64_t *year, int *month, int *day) {
    days += 719468;
    int64_t era = floor_divide(days, 146097);
    int64_t day_of_era = days - era * 146097;
    int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t shifted = (5 * day_of_year + 2) / 153;
    *day = (int)(day_of_year - (153 * shifted + 2) / 5 + 1);
    *month = (int)(shifted + (shifted < 10 ? 3 : -9));
    *year = year_of_era + era * 400 + (*month <= 2);
}

int64_t ph_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return ph_timestamp_of_timespec(now);
}

bool ph_timestamp_to_tm(int64_t timestamp, struct tm *time) {
    if (timestamp == PH_TIMESTAMP_INFINITY || timestamp == PH_TIMESTAMP_MINUS_INFINITY) return false;
    int64_t days = floor_divide(timestamp, DAY);
    int seconds = (int)((timestamp - days * DAY) / SECOND);
    int64_t year;
    int month, day;
    civil_of(days, &year, &month, &day);
    if (year - 1900 > INT_MAX || year - 1900 < INT_MIN) return false;
    *time = (struct tm){
        .tm_year = (int)(year - 1900),
        .tm_mon = month - 1,
        .tm_mday = day,
        .tm_hour = seconds / 3600,
        .tm_min = seconds / 60 % 60,
        .tm_sec = seconds % 60,
        /* 1970-01-01 was a Thursday. */
        .tm_wday = (int)(days + 4 - floor_divide(days + 4, 7) * 7),
        .tm_yday = (int)(days - days_of(year, 1, 1)),
    };
    return true;
}

int64_t ph_timestamp_of_tm(const struct tm *time) {
    int64_t months = (int64_t)time->tm_year * 12 + time->tm_mon;
    int64_t year = floor_divide(months, 12);
    int64_t days = days_of(year + 1900, (int)(months - year * 12) + 1, 1) + time->tm_mday - 1;
    return ((days * 24 + time->tm_hour) * 60 + time->tm_min) * 60 * SECOND + time->tm_sec * SECOND;
}

int32_t ph_microseconds(int64_t timestamp) {
    return (int32_t)(timestamp - floor_divide(timestamp, SECOND) * SECOND);
}

struct timespec ph_timestamp_to_timespec(int64_t timestamp) {
    return (struct timespec){.tv_sec = floor_divide(timestamp, SECOND), .tv_nsec = ph_microseconds(timestamp) * 1000};
}

int64_t ph_timestamp_of_timespec(struct timespec time) {
    return (int64_t)time.tv_sec * SECOND + time.tv_nsec / 1000;
}

/* `.5` of 500,000 microseconds; nothing of 0. */
static const char *fraction(int64_t microseconds) {
    if (!microseconds) return "";
    char *text = ph_format(".%06d", (int)microseconds);
    for (size_t end = strlen(text); text[end - 1] == '0'; end--) text[end - 1] = 0;
    return text;
}

const char *ph_time_text(int64_t time) {
    int64_t seconds = time / SECOND;
    return ph_format(
        "%02d:%02d:%02d%s", (int)(seconds / 3600), (int)(seconds / 60 % 60), (int)(seconds % 60), fraction(time % SECOND)
    );
}

/* ISO 8601 has a sign before years of another length than four. */
static const char *days_text(int64_t days) {
    int64_t year;
    int month, day;
    civil_of(days, &year, &month, &day);
    return ph_format(year < 0 || year > 9999 ? "%+05lld-%02d-%02d" : "%04lld-%02d-%02d", (long long)year, month, day);
}

const char *ph_date_text(int32_t date) {
    if (date == PH_DATE_INFINITY) return "infinity";
    if (date == PH_DATE_MINUS_INFINITY) return "-infinity";
    return days_text(date);
}

const char *ph_timestamp_text(int64_t timestamp) {
    if (timestamp == PH_TIMESTAMP_INFINITY) return "infinity";
    if (timestamp == PH_TIMESTAMP_MINUS_INFINITY) return "-infinity";
    int64_t days = floor_divide(timestamp, DAY);
    return ph_format("%sT%sZ", days_text(days), ph_time_text(timestamp - days * DAY));
}

int32_t ph_date_of(int64_t year, int month, int day) {
    return (int32_t)days_of(year, month, day);
}

int32_t ph_timestamp_date(int64_t timestamp) {
    if (timestamp == PH_TIMESTAMP_INFINITY) return PH_DATE_INFINITY;
    if (timestamp == PH_TIMESTAMP_MINUS_INFINITY) return PH_DATE_MINUS_INFINITY;
    return (int32_t)floor_divide(timestamp, DAY);
}

/* Reads `least` to `most` digits and moves on behind them. */
static bool read_digits(const char **text, int least, int most, int64_t *number) {
    int count = 0;
    for (*number = 0; count < most && **text >= '0' && **text <= '9'; count++) *number = *number * 10 + (*(*text)++ - '0');
    return count >= least;
}

static bool skip(const char **text, char byte) {
    if (**text != byte) return false;
    ++*text;
    return true;
}

static bool read_days(const char **text, int64_t *days) {
    bool negative = skip(text, '-');
    bool is_signed = negative || skip(text, '+');
    int64_t year, month, day;
    if (!read_digits(text, 4, is_signed ? 6 : 4, &year) || !skip(text, '-') || !read_digits(text, 2, 2, &month)
        || !skip(text, '-') || !read_digits(text, 2, 2, &day) || month < 1 || month > 12) {
        return false;
    }
    year = negative ? -year : year;
    *days = days_of(year, (int)month, (int)day);
    int64_t year_again;
    int month_again, day_again;
    civil_of(*days, &year_again, &month_again, &day_again);
    /* The 30th of February is another day. */
    return day == day_again && month == month_again;
}

static bool read_time(const char **text, int64_t *time) {
    int64_t hours, minutes, seconds, microseconds = 0;
    if (!read_digits(text, 2, 2, &hours) || !skip(text, ':') || !read_digits(text, 2, 2, &minutes) || !skip(text, ':')
        || !read_digits(text, 2, 2, &seconds)) {
        return false;
    }
    if (skip(text, '.')) {
        const char *start = *text;
        if (!read_digits(text, 1, 6, &microseconds)) return false;
        for (long count = *text - start; count < 6; count++) microseconds *= 10;
    }
    *time = ((hours * 60 + minutes) * 60 + seconds) * SECOND + microseconds;
    return minutes < 60 && seconds < 60 && *time <= DAY;
}

bool ph_time_parse(const char *text, int64_t *time) {
    return read_time(&text, time) && !*text;
}

bool ph_date_parse(const char *text, int32_t *date) {
    int64_t days;
    if (!read_days(&text, &days) || *text) return false;
    *date = (int32_t)days;
    return true;
}

bool ph_timestamp_parse(const char *text, int64_t *timestamp) {
    int64_t days, time, hours = 0, minutes = 0;
    if (!read_days(&text, &days) || !(skip(&text, 'T') || skip(&text, ' ')) || !read_time(&text, &time)) return false;
    if (!skip(&text, 'Z')) {
        bool west = *text == '-';
        if (!skip(&text, west ? '-' : '+') || !read_digits(&text, 2, 2, &hours) || !skip(&text, ':')
            || !read_digits(&text, 2, 2, &minutes) || minutes > 59) {
            return false;
        }
        if (west) hours = -hours, minutes = -minutes;
    }
    int64_t offset = (hours * 60 + minutes) * 60 * SECOND;
    if (*text || days > INT64_MAX / DAY - 2 || days < INT64_MIN / DAY + 2) return false;
    *timestamp = days * DAY + time - offset;
    return true;
}
