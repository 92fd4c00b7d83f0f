//! Owns the list of functions known to read no table that their statement does not name; every other one is unknown.

use crate::url::Backend;

/// What is known of a function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Known {
    /// Reads its arguments and leaves nothing behind.
    Harmless,
    /// Reads no table, but leaves something behind in its connection.
    TouchesSession,
    /// Asks for what an earlier statement left in its connection.
    NeedsTransaction,
    /// It could do anything.
    No,
}

/// Looks up a function by its lower-case name, without `pg_catalog.`.
pub(super) fn known(name: &str, backend: Backend) -> Known {
    if ["lastval", "currval", "last_insert_rowid", "changes"].contains(&name) {
        return Known::NeedsTransaction;
    }
    if listed(SHARED, name) {
        return Known::Harmless;
    }
    match backend {
        Backend::Sqlite if listed(SQLITE, name) => Known::Harmless,
        Backend::Postgresql if POSTGRESQL.iter().any(|list| listed(list, name)) => Known::Harmless,
        Backend::Postgresql if listed(POSTGRESQL_SESSION, name) => Known::TouchesSession,
        _ => Known::No,
    }
}

/// Whether a function of PostgreSQL's or of its extensions, by this name, is known to read its arguments only.
pub(crate) fn is_harmless(name: &str) -> bool {
    known(name, Backend::Postgresql) == Known::Harmless
}

/// Whether PostgreSQL itself has a function of one argument by this name that does more than compute: `x.f` and `(x).f` call
/// it as `f(x)` does.
pub(super) fn acts_as_attribute(name: &str) -> bool {
    (name.starts_with("pg_") && known(name, Backend::Postgresql) != Known::Harmless)
        || listed(POSTGRESQL_ATTRIBUTES, name)
}

fn listed(list: &str, name: &str) -> bool {
    list.split_ascii_whitespace().any(|listed| listed == name)
}

const SHARED: &str = "abs avg ceil ceiling coalesce concat concat_ws count cume_dist current_date current_time current_timestamp \
    date degrees dense_rank exp first_value floor format grouping iif greatest lag last_value lead least length ln log log10 lower ltrim max \
    min mod nth_value ntile nullif octet_length percent_rank pi power radians random rank replace round row_number \
    rtrim sign sqrt string_agg substr substring sum time timestamp trim trunc upper acos acosh asin asinh atan atan2 \
    atanh cos cosh sin sinh tan tanh";

const SQLITE: &str = "bm25 char datetime glob group_concat hex highlight if ifnull instr json json_array json_array_length \
    json_each json_error_position json_extract json_group_array json_group_object json_insert json_object json_patch \
    json_pretty json_quote json_remove json_replace json_set json_tree json_type json_valid jsonb jsonb_array \
    jsonb_each jsonb_extract jsonb_group_array jsonb_group_object jsonb_insert jsonb_object jsonb_patch jsonb_remove \
    jsonb_replace jsonb_set jsonb_tree julianday like likelihood likely log2 median percentile printf pow quote \
    randomblob snippet soundex sqlite_version strftime timediff total typeof unhex unicode unistr unistr_quote unixepoch unlikely \
    zeroblob generate_series octet_length percentile_cont percentile_disc";

const POSTGRESQL: &[&str] = &[
    POSTGRESQL_SCALAR,
    POSTGRESQL_TIME,
    POSTGRESQL_SETS,
    POSTGRESQL_SYSTEM,
];

const POSTGRESQL_SCALAR: &str = "array acosd asind atand atan2d ascii bit_count bit_length btrim cbrt char_length character_length chr cosd cot \
    cotd convert_from convert_to decode div encode erf erfc factorial gcd get_bit get_byte gen_random_uuid uuid_generate_v4 uuidv4 uuidv7 \
    initcap is_normalized isfinite jsonb_strip_nulls json_strip_nulls lcm left lpad md5 min_scale normalize num_nonnulls num_nulls overlay \
    parse_ident position quote_ident quote_literal quote_nullable regexp_count regexp_instr regexp_like regexp_match \
    regexp_replace regexp_split_to_array regexp_substr repeat reverse right rpad scale set_bit set_byte sha224 sha256 \
    sha384 sha512 sind split_part starts_with strpos string_to_array tand to_ascii to_char to_hex to_number to_bin to_oct \
    translate trim_scale unistr width_bucket int4 int8 int2 float4 float8 numeric text bool varchar bpchar array_append array_cat array_dims array_fill \
    array_length array_lower array_ndims array_position array_positions array_prepend array_remove array_replace \
    array_shuffle array_sample array_to_string array_upper cardinality trim_array lower_inc upper_inc lower_inf \
    upper_inf isempty range_merge multirange int4range int8range numrange tsrange tstzrange daterange similarity word_similarity levenshtein soundex metaphone unaccent \
    json_array_length jsonb_array_length json_build_array jsonb_build_array json_build_object jsonb_build_object \
    json_extract_path jsonb_extract_path json_extract_path_text jsonb_extract_path_text json_object jsonb_object \
    json_typeof jsonb_typeof jsonb_insert jsonb_set jsonb_set_lax jsonb_path_exists jsonb_path_match \
    jsonb_path_query_array jsonb_path_query_first jsonb_pretty row_to_json array_to_json to_json to_jsonb row \
    to_tsquery to_tsvector plainto_tsquery phraseto_tsquery websearch_to_tsquery ts_rank ts_rank_cd ts_headline \
    setweight strip numnode querytree tsvector_to_array xmlelement xmlforest xmlconcat xmlcomment xml_is_well_formed host network netmask masklen family broadcast abbrev \
    crc32 crc32c array_reverse array_sort casefold gamma lgamma digest hmac";

const POSTGRESQL_TIME: &str = "age clock_timestamp date_add date_bin date_part date_subtract date_trunc extract justify_days \
    justify_hours justify_interval localtime localtimestamp make_date make_interval make_time make_timestamp \
    make_timestamptz now overlaps statement_timestamp timeofday timezone to_date to_timestamp transaction_timestamp timestamptz";

const POSTGRESQL_SETS: &str = "any_value array_agg bit_and bit_or bit_xor bool_and bool_or corr covar_pop covar_samp every generate_series \
    generate_subscripts json_agg json_agg_strict json_object_agg jsonb_agg jsonb_agg_strict jsonb_object_agg json_array_elements \
    json_array_elements_text jsonb_array_elements jsonb_array_elements_text json_each json_each_text jsonb_each \
    jsonb_each_text json_object_keys jsonb_object_keys json_populate_record jsonb_populate_record \
    json_populate_recordset jsonb_populate_recordset json_to_record json_to_recordset jsonb_to_record \
    jsonb_to_recordset jsonb_path_query mode percentile_cont percentile_disc range_agg range_intersect_agg \
    regexp_matches regexp_split_to_table regr_avgx regr_avgy regr_count regr_intercept regr_r2 regr_slope regr_sxx \
    regr_sxy regr_syy stddev stddev_pop stddev_samp string_to_table unnest variance var_pop var_samp xmlagg";

const POSTGRESQL_SYSTEM: &str = "current_catalog current_database current_role current_schema current_user session_user user \
    pg_backend_pid pg_column_size pg_sleep pg_sleep_for pg_sleep_until \
    pg_typeof pg_collation_for version txid_current txid_current_if_assigned pg_current_xact_id \
    pg_current_xact_id_if_assigned pg_is_in_recovery row_security_active";

/// Besides those whose names begin with `pg_`: all of PostgreSQL 15's, 16's and 17's that are not immutable, take one argument
/// that SQL can have, and are not in the lists above.
const POSTGRESQL_ATTRIBUTES: &str = "binary_upgrade_set_missing_value binary_upgrade_set_record_init_privs brin_summarize_new_values \
    col_description current_schemas current_setting currval gin_clean_pending_list lo_close lo_creat lo_create lo_export lo_get lo_import \
    lo_tell lo_tell64 lo_unlink lastval mxid_age nextval obj_description row_security_active setseed shobj_description to_regclass \
    to_regcollation to_regnamespace to_regoper to_regoperator to_regproc to_regprocedure to_regrole to_regtype to_regtypemod ts_debug \
    ts_stat ts_token_type txid_status txid_visible_in_snapshot";

/// Advisory locks are not among them: they are everybody's, the host's own for migrations too.
const POSTGRESQL_SESSION: &str = "setseed";
