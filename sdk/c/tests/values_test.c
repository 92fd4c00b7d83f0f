/* Decimals, times, UUIDs, and values in and out of columns, natively. */
#include "ph_test.h"

static void decimals(void) {
    static const struct {
        const char *left, *right, *sum, *difference, *product;
    } cases[] = {
        {"1.50", "1", "2.50", "0.50", "1.50"},
        {"1", "1.50", "2.50", "-0.50", "1.50"},
        {"0.1", "0.2", "0.3", "-0.1", "0.02"},
        {"-1.50", "1.5", "0.00", "-3.00", "-2.250"},
        {"999", "1", "1000", "998", "999"},
        {"-0.01", "-99.99", "-100.00", "99.98", "0.9999"},
        {"007.0", "0", "7.0", "7.0", "0.0"},
        {"100", "0.001", "100.001", "99.999", "0.100"},
        {"-5", "3.25", "-1.75", "-8.25", "-16.25"},
        {
            "12345678901234567890123456789012345678", "0.000000000000000000000000000001",
            "12345678901234567890123456789012345678.000000000000000000000000000001",
            "12345678901234567890123456789012345677.999999999999999999999999999999",
            "12345678.901234567890123456789012345678",
        },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ph_check_text(ph_decimal_add(cases[i].left, cases[i].right), cases[i].sum);
        ph_check_text(ph_decimal_add(cases[i].right, cases[i].left), cases[i].sum);
        ph_check_text(ph_decimal_subtract(cases[i].left, cases[i].right), cases[i].difference);
        ph_check_text(ph_decimal_multiply(cases[i].left, cases[i].right), cases[i].product);
        int sign = ph_decimal_sign(cases[i].difference);
        int order = ph_decimal_compare(cases[i].left, cases[i].right);
        ph_check((order > 0) - (order < 0) == sign);
    }
    static const char *const bad[] = {"", "-", ".5", "1.", "+1", "1e3", "NaN", "Infinity", " 1", "1 ", "--1", "1.2.3", "0x1"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) ph_check(!ph_is_decimal(bad[i]));

    ph_check_text(ph_decimal_negate("0.00"), "0.00");
    ph_check_text(ph_decimal_negate("-1.50"), "1.50");
    ph_check(ph_decimal_compare("1.50", "1.5") == 0 && ph_decimal_compare("-0", "0.0") == 0);
    ph_check(ph_decimal_compare("-2", "-1") < 0 && ph_decimal_compare("10", "9.99") > 0 && ph_decimal_compare("-1", "1") < 0);
    static const struct {
        const char *number, *even, *up, *down;
    } rounded[] = {
        {"2.345", "2.34", "2.35", "2.34"},       {"2.355", "2.36", "2.36", "2.35"}, {"2.3451", "2.35", "2.35", "2.34"},
        {"-2.345", "-2.34", "-2.35", "-2.34"},   {"9.995", "10.00", "10.00", "9.99"}, {"1", "1.00", "1.00", "1.00"},
        {"-0.004", "0.00", "0.00", "0.00"},      {"0.005", "0.00", "0.01", "0.00"},
    };
    for (size_t i = 0; i < sizeof rounded / sizeof *rounded; i++) {
        ph_check_text(ph_decimal_round(rounded[i].number, 2, PH_HALF_EVEN), rounded[i].even);
        ph_check_text(ph_decimal_round(rounded[i].number, 2, PH_HALF_UP), rounded[i].up);
        ph_check_text(ph_decimal_round(rounded[i].number, 2, PH_DOWN), rounded[i].down);
    }
    ph_check_text(ph_decimal_round("14.5", 0, PH_HALF_EVEN), "14");
    ph_check_text(ph_decimal_round("15.5", 0, PH_HALF_EVEN), "16");

    int64_t whole = 0;
    ph_check(ph_decimal_to_int64("-9223372036854775808.00", &whole) && whole == INT64_MIN);
    ph_check(ph_decimal_to_int64("9223372036854775807", &whole) && whole == INT64_MAX);
    ph_check(!ph_decimal_to_int64("9223372036854775808", &whole) && !ph_decimal_to_int64("12.01", &whole));
    ph_check_text(ph_decimal_of(INT64_MIN), "-9223372036854775808");
}

static void times(void) {
    static const struct {
        int64_t timestamp;
        const char *text;
    } cases[] = {
        {0, "1970-01-01T00:00:00Z"},
        {-1, "1969-12-31T23:59:59.999999Z"},
        {INT64_C(1709168400000000), "2024-02-29T01:00:00Z"},
        {INT64_C(1709168400500000), "2024-02-29T01:00:00.5Z"},
        {INT64_C(253402300799999999), "9999-12-31T23:59:59.999999Z"},
        {INT64_C(-62135596800000000), "0001-01-01T00:00:00Z"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        int64_t parsed = 0;
        struct tm time;
        ph_check_text(ph_timestamp_text(cases[i].timestamp), cases[i].text);
        ph_check(ph_timestamp_parse(cases[i].text, &parsed) && parsed == cases[i].timestamp);
        ph_check(ph_timestamp_to_tm(cases[i].timestamp, &time));
        ph_check(ph_timestamp_of_tm(&time) + ph_microseconds(cases[i].timestamp) == cases[i].timestamp);
        ph_check(ph_timestamp_of_timespec(ph_timestamp_to_timespec(cases[i].timestamp)) == cases[i].timestamp);
    }
    /* Every day of 800 years, against the C library. */
    for (int32_t day = -146097; day < 146097; day++) {
        struct tm ours, theirs;
        time_t seconds = (time_t)day * 86400 + 3723;
        if (!ph_timestamp_to_tm((int64_t)seconds * 1000000, &ours) || !gmtime_r(&seconds, &theirs) || ours.tm_year != theirs.tm_year
            || ours.tm_mon != theirs.tm_mon || ours.tm_mday != theirs.tm_mday || ours.tm_wday != theirs.tm_wday
            || ours.tm_yday != theirs.tm_yday || ours.tm_hour != 1 || ours.tm_min != 2 || ours.tm_sec != 3) {
            ph_check(!"a day differs");
        }
        if (ph_date_of(ours.tm_year + 1900, ours.tm_mon + 1, ours.tm_mday) != day) ph_check(!"a date differs");
        ph_call_begin();
        ph_call_end();
    }
    int64_t timestamp = 0;
    ph_check(ph_timestamp_parse("2024-02-28T20:00:00-05:00", &timestamp) && timestamp == INT64_C(1709168400000000));
    ph_check(ph_timestamp_parse("2024-02-29 01:00:00Z", &timestamp) && timestamp == INT64_C(1709168400000000));
    static const char *const bad[] = {
        "2023-02-29T00:00:00Z", "2024-02-29T00:00:00", "2024-13-01T00:00:00Z", "2024-02-29T24:00:01Z", "2024-02-29T00:60:00Z",
        "2024-02-29T00:00:00.1234567Z", "2024-2-29T00:00:00Z", "2024-02-29T00:00:00Zx", "",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) ph_check(!ph_timestamp_parse(bad[i], &timestamp));
    struct tm none;
    ph_check_text(ph_timestamp_text(PH_TIMESTAMP_INFINITY), "infinity");
    ph_check(!ph_timestamp_to_tm(PH_TIMESTAMP_MINUS_INFINITY, &none));
    int32_t date = 0;
    ph_check(ph_date_parse("1969-12-31", &date) && date == -1);
    ph_check_text(ph_date_text(-719528), "0000-01-01");
    ph_check_text(ph_date_text(PH_DATE_MINUS_INFINITY), "-infinity");
    int64_t time = 0;
    ph_check(ph_time_parse("24:00:00", &time) && time == INT64_C(86400000000));
    ph_check_text(ph_time_text(86399500000), "23:59:59.5");
    ph_check(ph_now() > INT64_C(1700000000000000));
}

static void uuids(void) {
    ph_uuid uuid;
    ph_check(ph_uuid_parse("0188D5A2-89ab-7def-8000-00000000002a", &uuid));
    ph_check(uuid.high == 0x0188d5a289ab7def && uuid.low == 0x800000000000002a);
    ph_check_text(ph_uuid_text(uuid), "0188d5a2-89ab-7def-8000-00000000002a");
    ph_check(!ph_uuid_parse("0188d5a2-89ab-7def-8000-00000000002", &uuid));
    ph_check(!ph_uuid_parse("0188d5a289ab-7def-8000-00000000002a0", &uuid));
}

static void records(void) {
    ph_records rows = {0};
    ph_records_add(&rows, PH_PARAMS(ph_int64(1), ph_text("x"), ph_null(), ph_boolean(true)));
    ph_records_add(&rows, PH_PARAMS(ph_null(), ph_text(NULL), ph_null_of(PH_KIND_DATE), ph_boolean(false)));
    ph_records_add(&rows, PH_PARAMS(ph_int64(3), ph_text("yz"), ph_null(), ph_null()));
    ph_error error = {0};
    const ph_column *columns = ph_records_columns(&rows, &error);
    ph_check(columns && columns[0].kind == PH_KIND_INT64 && columns[0].validity_length == 1 && columns[0].validity[0] == 5);
    ph_check(columns[0].int64s[1] == 0 && columns[0].int64s[2] == 3);
    ph_check(columns[1].length == 4 && columns[1].data_length == 3 && memcmp(columns[1].data, "xyz", 3) == 0);
    ph_check(columns[1].offsets[1] == 1 && columns[1].offsets[2] == 1 && columns[1].offsets[3] == 3);
    ph_check(columns[3].booleans[0] && !columns[3].booleans[1] && columns[3].validity[0] == 3);

    ph_records_add(&rows, PH_PARAMS(ph_text("four"), ph_text("x"), ph_null(), ph_null()));
    ph_check(!ph_records_columns(&rows, &error));
    ph_check_text(error.message, "row 4 has a text for $1, and the rows before have an integer; give a parameter one kind in all rows");
    ph_records_add(&rows, PH_PARAMS(ph_int64(5)));
    ph_check(!ph_records_columns(&rows, &error));
    ph_check_text(error.message, "row 5 has 1 values, and the rows before have 4; give each row one for each parameter");

    ph_value array = ph_array(PH_KIND_TEXT, PH_PARAMS(ph_text("AAPL"), ph_null()));
    ph_check(array.is_array && ph_column_count(array.array) == 2 && array.array->validity[0] == 1);
    ph_check(ph_column_count(ph_array(PH_KIND_TEXT, PH_NO_PARAMS).array) == 0);
}

static const char *reading(const ph_rows *rows, size_t row, const char *what, const char *column) {
    ph_error error = {0};
    ph_row at = ph_row_at(rows, row);
    if (strcmp(what, "int64") == 0) ph_row_int64(at, column, &error);
    if (strcmp(what, "boolean") == 0) ph_row_boolean(at, column, &error);
    if (strcmp(what, "decimal") == 0) ph_row_decimal(at, column, &error);
    if (strcmp(what, "text") == 0) ph_row_text(at, column, &error);
    ph_check(error.kind == PH_DECODE);
    return error.message;
}

static void cells(void) {
    ph_records records = {0};
    ph_records_add(&records, PH_PARAMS(ph_int64(1), ph_decimal("12.00"), ph_text_of("a\0b", 3), ph_timestamp(-1)));
    ph_records_add(&records, PH_PARAMS(ph_int64(7), ph_decimal("NaN"), ph_null(), ph_timestamp(2)));
    ph_rows rows = ph_rows_of(&records, "id", "amount", "note", "at", NULL);
    ph_error error = {0};
    ph_row row = ph_row_at(&rows, 0);
    ph_check(ph_row_int64(row, "id", &error) == 1 && ph_row_boolean(row, "id", &error) && ph_row_int64(row, "amount", &error) == 12);
    ph_check_text(ph_row_decimal(row, "amount", &error), "12.00");
    ph_check_text(ph_row_decimal(row, "id", &error), "1");
    ph_check(ph_row_slice(row, "note", &error).length == 3 && ph_row_timestamp_at(row, 3, &error) == -1);
    ph_check(!error.kind && ph_row_is_null_at(ph_row_at(&rows, 1), 2, &error) && !error.kind);
    ph_check_text(reading(&rows, 1, "boolean", "id"), "column `id` of row 2 holds an integer, not a boolean");
    ph_check_text(reading(&rows, 1, "text", "note"), "column `note` of row 2 is null; ask ph_row_is_null first");
    ph_check_text(reading(&rows, 0, "int64", "at"), "column `at` of row 1 holds a timestamp, not an integer");
    ph_check_text(reading(&rows, 1, "int64", "amount"), "column `amount` of row 2 holds NaN, not an integer of 64 bits");
    ph_check_text(reading(&rows, 0, "text", "nte"), "the result has no column `nte`; it has `id`, `amount`, `note`, `at`");
    ph_check(strstr(reading(&rows, 0, "text", "note"), "zero byte") && strstr(reading(&rows, 1, "decimal", "amount"), "ph_row_text"));
    /* The first error stays. */
    ph_row_int64(row, "x", &error);
    ph_row_int64(row, "y", &error);
    ph_check(strstr(error.message, "`x`"));
}

int main(void) {
    decimals();
    times();
    uuids();
    records();
    cells();
    return ph_checked();
}
