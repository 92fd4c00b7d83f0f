//! Owns reading what lives in an SQLite session beside a transaction: settings, temporary tables, attached files.

/// Every setting that can be read and is a connection's own.
const STATE: &str = "SELECT json_array((SELECT count(*) FROM sqlite_temp_master), \
    (SELECT json_group_array(name) FROM pragma_database_list WHERE name <> 'temp'), 'a' LIKE 'A', \
    (SELECT * FROM pragma_analysis_limit), (SELECT * FROM pragma_automatic_index), (SELECT * FROM pragma_busy_timeout), \
    (SELECT * FROM pragma_cache_size), (SELECT * FROM pragma_cache_spill), (SELECT * FROM pragma_cell_size_check), \
    (SELECT * FROM pragma_checkpoint_fullfsync), (SELECT * FROM pragma_count_changes), \
    (SELECT * FROM pragma_defer_foreign_keys), (SELECT * FROM pragma_empty_result_callbacks), \
    (SELECT * FROM pragma_foreign_keys), (SELECT * FROM pragma_full_column_names), (SELECT * FROM pragma_fullfsync), \
    (SELECT * FROM pragma_ignore_check_constraints), (SELECT * FROM pragma_journal_size_limit), \
    (SELECT * FROM pragma_legacy_alter_table), (SELECT * FROM pragma_locking_mode), \
    (SELECT * FROM pragma_max_page_count), \
    (SELECT * FROM pragma_read_uncommitted), (SELECT * FROM pragma_recursive_triggers), \
    (SELECT * FROM pragma_reverse_unordered_selects), (SELECT * FROM pragma_secure_delete), \
    (SELECT * FROM pragma_short_column_names), (SELECT * FROM pragma_synchronous), (SELECT * FROM pragma_temp_store), \
    (SELECT * FROM pragma_threads), (SELECT * FROM pragma_trusted_schema), \
    (SELECT * FROM pragma_writable_schema)), (SELECT * FROM pragma_query_only)";

/// The same text for the same state, and whether writes are refused.
pub(super) async fn state(
    connection: &mut sqlx::SqliteConnection,
) -> Result<(String, bool), sqlx::Error> {
    sqlx::query_as(STATE).fetch_one(connection).await
}
