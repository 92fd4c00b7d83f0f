# Functions that run SQL, read files, change settings or end others' work; calls that do not look like calls.
SELECT query_to_xml('SELECT * FROM secret', true, true, '')
SELECT query_to_xmlschema('SELECT * FROM secret', true, true, '')
SELECT query_to_xml_and_xmlschema('SELECT * FROM secret', true, true, '')
SELECT table_to_xml('secret', true, true, '')
SELECT table_to_xmlschema('secret', true, true, '')
SELECT table_to_xml_and_xmlschema('secret', true, true, '')
SELECT schema_to_xml('public', true, true, '')
SELECT schema_to_xmlschema('public', true, true, '')
SELECT database_to_xml(true, true, '')
SELECT database_to_xmlschema(true, true, '')
SELECT database_to_xml_and_xmlschema(true, true, '')
SELECT cursor_to_xml('c', 1, true, true, '')
SELECT pg_catalog.query_to_xml('SELECT * FROM secret', true, true, '')
SELECT "query_to_xml"('SELECT * FROM secret', true, true, '')
SELECT QUERY_TO_XML('SELECT * FROM secret', true, true, '')
SELECT PG_CATALOG.QUERY_TO_XML('SELECT * FROM secret', true, true, '')
SELECT "pg_catalog"."query_to_xml"('SELECT * FROM secret', true, true, '')
SELECT query_to_xml/**/('SELECT * FROM secret', true, true, '')
SELECT query_to_xml (query => 'SELECT * FROM secret', nulls => true, tableforest => true, targetns => '')
SELECT * FROM query_to_xml('SELECT * FROM secret', true, true, '')
SELECT * FROM open_a, query_to_xml('SELECT * FROM secret', true, true, '') q
SELECT * FROM LATERAL query_to_xml('SELECT * FROM secret', true, true, '') q
SELECT * FROM ROWS FROM (query_to_xml('SELECT * FROM secret', true, true, '')) q
SELECT x FROM open_a ORDER BY query_to_xml('SELECT * FROM secret', true, true, '')::text
SELECT x FROM open_a WHERE query_to_xml('SELECT * FROM secret', true, true, '') IS NOT NULL
SELECT coalesce(NULL, query_to_xml('SELECT * FROM secret', true, true, ''))
SELECT count(*) FILTER (WHERE query_to_xml('SELECT * FROM secret', true, true, '') IS NOT NULL) FROM open_a
INSERT INTO mine VALUES (70, query_to_xml('SELECT * FROM secret', true, true, '')::text)
UPDATE mine SET x = query_to_xml('SELECT * FROM secret', true, true, '')::text
DELETE FROM mine RETURNING query_to_xml('SELECT * FROM secret', true, true, '')
VALUES (query_to_xml('SELECT * FROM secret', true, true, ''))
SELECT ts_stat('SELECT to_tsvector(s) FROM secret')
SELECT * FROM ts_stat('SELECT to_tsvector(s) FROM secret')
SELECT ts_rewrite('a'::tsquery, 'SELECT s::tsquery, s::tsquery FROM secret')
SELECT * FROM dblink('dbname=bp', 'SELECT s FROM secret') AS t(s text)
SELECT dblink_exec('dbname=bp', 'DELETE FROM secret')
SELECT dblink_connect('dbname=bp')
SELECT * FROM crosstab('SELECT s, s, s FROM secret') AS t(a text, b text)
SELECT * FROM connectby('secret', 'id', 'id', '1', 0) AS t(a int, b int, c int)
SELECT lo_import('/etc/passwd')
SELECT lo_export(1, '/tmp/x')
SELECT lo_get(1)
SELECT lo_create(0)
SELECT lo_unlink(1)
SELECT loread(lo_open(1, 262144), 100)
SELECT lo_from_bytea(0, 'x')
SELECT pg_read_file('/etc/passwd')
SELECT pg_read_binary_file('/etc/passwd')
SELECT * FROM pg_ls_dir('/')
SELECT pg_stat_file('/etc/passwd')
SELECT pg_ls_waldir()
SELECT pg_ls_logdir()
SELECT set_config('search_path', 'vault', false)
SELECT set_config('role', 'postgres', true)
SELECT current_setting('data_directory')
SELECT pg_terminate_backend(1)
SELECT pg_cancel_backend(1)
SELECT pg_reload_conf()
SELECT pg_rotate_logfile()
SELECT pg_switch_wal()
SELECT pg_create_restore_point('x')
SELECT pg_notify('c', 'x')
SELECT pg_export_snapshot()
SELECT pg_logical_emit_message(true, 'a', 'b')
SELECT pg_stat_reset()
SELECT pg_get_viewdef('secret_view'::regclass)
SELECT pg_get_functiondef(1::oid)
SELECT pg_get_expr(NULL, 0)
SELECT pg_relation_size('secret')
SELECT pg_total_relation_size('secret')
SELECT pg_stat_get_tuples_inserted('secret'::regclass)
SELECT pg_stat_get_backend_activity(1)
SELECT pg_stat_get_activity(NULL)
SELECT * FROM pg_stat_get_activity(NULL)
SELECT * FROM pg_show_all_settings()
SELECT * FROM pg_lock_status()
SELECT * FROM pg_cursor()
SELECT * FROM pg_prepared_statement()
SELECT has_table_privilege('secret', 'SELECT')
SELECT inet_server_addr()
SELECT pg_conf_load_time()
SELECT pg_postmaster_start_time()
SELECT pg_advisory_unlock_all(), pg_sleep(0), leak('x')
SELECT currtid2('secret', '(0,1)')
SELECT brin_summarize_new_values('secret'::regclass)
SELECT gin_clean_pending_list('secret'::regclass)
SELECT leak()
SELECT leak('x')
SELECT leak(open_a) FROM open_a
SELECT leak(open_a.*) FROM open_a
SELECT leak(a) FROM open_a AS a
SELECT leak(x) FROM open_a
SELECT leak(ROW(1, 2))
SELECT public.leak('x')
SELECT "leak"('x')
SELECT vault.leak('x')
SELECT LEAK('x')
SELECT * FROM leaks('x')
SELECT * FROM open_a, leaks(x)
SELECT * FROM open_a, LATERAL leaks(open_a.x)
SELECT leak_agg(x) FROM open_a
SELECT leak_agg(x) OVER () FROM open_a
SELECT leak_agg(DISTINCT x ORDER BY x) FROM open_a
SELECT leak_agg(x) FILTER (WHERE true) FROM open_a
SELECT leak_rank(1) WITHIN GROUP (ORDER BY id) FROM open_a
SELECT open_a.leak FROM open_a
SELECT a.leak FROM open_a AS a
SELECT a."leak" FROM open_a AS a
SELECT a.LEAK FROM open_a AS a
SELECT (a).leak FROM open_a AS a
SELECT (open_a).leak FROM open_a
SELECT (open_a.*).leak FROM open_a
SELECT public.open_a.leak FROM public.open_a
SELECT spill FROM (SELECT open_a.spill FROM open_a) t
SELECT open_a.spill FROM open_a
SELECT * FROM open_a ORDER BY open_a.spill
SELECT * FROM open_a WHERE open_a.spill IS NOT NULL
SELECT max(open_a.spill) FROM open_a GROUP BY open_a.id
SELECT * FROM open_a a JOIN open_b b ON a.leak = b.x
UPDATE mine SET x = open_a.leak FROM open_a
INSERT INTO mine SELECT open_a.id + 600, open_a.leak FROM open_a
DELETE FROM mine USING open_a WHERE open_a.leak = mine.x
SELECT t.leak FROM (SELECT 'x'::text) AS t(y)
SELECT t.leak FROM unnest(ARRAY['x']) AS t
SELECT ('x'::text).leak
SELECT (x).leak FROM open_a
SELECT (open_a.x).leak FROM open_a
SELECT ((SELECT x FROM open_a LIMIT 1)).leak
SELECT (ARRAY['x'])[1].leak
SELECT (ROW(1, 2)).leak
SELECT t.ts_stat FROM unnest(ARRAY['SELECT to_tsvector(s) FROM secret']) AS t
SELECT ('SELECT to_tsvector(s) FROM secret'::text).ts_stat
SELECT (x).ts_stat FROM (VALUES ('SELECT to_tsvector(s) FROM secret')) v(x)
SELECT (('SELECT to_tsvector(s) FROM secret'::text).ts_stat).word
SELECT t.pg_read_file FROM unnest(ARRAY['/etc/passwd']) AS t
SELECT ('/etc/passwd'::text).pg_read_file
SELECT ('/'::text).pg_ls_dir
SELECT t.pg_terminate_backend FROM unnest(ARRAY[1]) AS t
SELECT ('secret_seq'::regclass).nextval
SELECT t.nextval FROM unnest(ARRAY['secret_seq'::regclass]) AS t
SELECT ('data_directory'::text).current_setting
SELECT ('dbname=bp'::text).dblink_connect
SELECT t.dblink_exec FROM unnest(ARRAY['DELETE FROM secret']) AS t
SELECT t.crosstab FROM unnest(ARRAY['SELECT s FROM secret']) AS t
SELECT (1::oid).lo_get
SELECT ('/etc/passwd'::text).lo_import
SELECT ('secret'::regclass).pg_relation_size
SELECT ('secret_view'::regclass).pg_get_viewdef
SELECT ('secret_view'::text)."pg_get_viewdef"
SELECT 'x' @@@ 'y'
SELECT x @@@ 'y' FROM open_a
SELECT 'x' OPERATOR(public.@@@) 'y'
SELECT 'x'::text ## 'y'::text
SELECT x ## x FROM open_a
SELECT x OPERATOR(public.##) x FROM open_a
SELECT 'x' OPERATOR(vault.#*#) 'y'
SELECT 'x' = ANY (ARRAY['a' @@@ 'b'])
SELECT * FROM open_a ORDER BY x @@@ 'y'
SELECT 'good'::mood::int
SELECT CAST('good'::mood AS int)
SELECT CAST(CAST('good' AS mood) AS integer)
SELECT int4('good'::mood)
SELECT 'x'::guarded
SELECT CAST('x' AS guarded)
SELECT CAST(x AS public.guarded) FROM open_a
SELECT guarded 'x'
SELECT x::guarded FROM open_a
SELECT ARRAY['x']::guarded[]
SELECT initcap(5)
SELECT initcap(id) FROM open_a
SELECT public.initcap(5)
SELECT open_a.id.initcap FROM open_a
SELECT (id).initcap FROM open_a
SELECT t.initcap FROM unnest(ARRAY[5]) AS t
SELECT 'query_to_xml'::regproc, query_to_xml('SELECT 1 FROM secret', true, true, '')
SELECT sum(length(leak(x))) FROM open_a
SELECT (SELECT leak('x'))
WITH t AS (SELECT leak('x')) SELECT * FROM t
CALL leak_all()
SELECT leak_all()
SELECT only('x')
SELECT pg_advisory_xact_lock(8101815670911169907)
SELECT pg_try_advisory_lock(1, 2)
