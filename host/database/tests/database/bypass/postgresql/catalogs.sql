# The database's own tables, which no grant but one by name opens.
SELECT * FROM pg_authid
SELECT rolpassword FROM pg_catalog.pg_authid
SELECT * FROM pg_shadow
SELECT * FROM pg_user
SELECT * FROM pg_roles
SELECT * FROM pg_stat_activity
SELECT query FROM pg_catalog.pg_stat_activity
SELECT * FROM "pg_catalog"."pg_stat_activity"
SELECT * FROM PG_CATALOG.PG_SETTINGS
SELECT * FROM pg_settings
UPDATE pg_settings SET setting = 'x' WHERE name = 'search_path'
SELECT * FROM pg_file_settings
SELECT * FROM pg_hba_file_rules
SELECT * FROM pg_class
SELECT * FROM pg_attribute
SELECT * FROM pg_proc
SELECT * FROM pg_statistic
SELECT most_common_vals FROM pg_stats WHERE tablename = 'secret'
SELECT * FROM pg_statistic_ext_data
SELECT * FROM pg_largeobject
SELECT * FROM pg_locks
SELECT * FROM pg_cursors
SELECT * FROM pg_prepared_statements
SELECT * FROM pg_stat_user_tables
SELECT * FROM pg_stat_ssl
SELECT * FROM pg_views
SELECT * FROM pg_tables
SELECT * FROM pg_matviews
SELECT * FROM pg_indexes
SELECT * FROM pg_sequences
SELECT * FROM pg_database
SELECT * FROM pg_tablespace
SELECT * FROM pg_foreign_server
SELECT umoptions FROM pg_user_mapping
SELECT * FROM pg_config
SELECT * FROM pg_timezone_names
SELECT * FROM pg_shmem_allocations
SELECT * FROM pg_backend_memory_contexts
SELECT * FROM information_schema.tables
SELECT * FROM INFORMATION_SCHEMA.COLUMNS
SELECT * FROM "information_schema"."columns"
SELECT * FROM information_schema.views
SELECT * FROM information_schema.routines
SELECT * FROM information_schema.role_table_grants
SELECT * FROM bp.information_schema.tables
SELECT * FROM bp.pg_catalog.pg_authid
SELECT * FROM pg_toast.pg_toast_1262
SELECT * FROM pg_temp.secret
SELECT * FROM pg_temp_3.secret
SELECT * FROM open_a, pg_authid
SELECT (SELECT rolpassword FROM pg_authid LIMIT 1)
WITH t AS (SELECT * FROM pg_authid) SELECT * FROM t
TABLE pg_authid
TABLE pg_catalog.pg_authid
DELETE FROM pg_catalog.pg_class
UPDATE pg_catalog.pg_authid SET rolsuper = true
INSERT INTO pg_catalog.pg_authid (rolname) VALUES ('x')
SELECT * FROM pg_class c JOIN open_a ON c.relname = open_a.x
SELECT 'pg_authid'::regclass, rolname FROM pg_authid
