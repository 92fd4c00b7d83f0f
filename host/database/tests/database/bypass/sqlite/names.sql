# Spellings of a name, and the database's own tables.
SELECT * FROM SECRET
SELECT * FROM Secret
SELECT * FROM "secret"
SELECT * FROM "SECRET"
SELECT * FROM [secret]
SELECT * FROM [SECRET]
SELECT * FROM `secret`
SELECT * FROM 'secret'
SELECT * FROM main.secret
SELECT * FROM MAIN.SECRET
SELECT * FROM "main"."secret"
SELECT * FROM [main].[secret]
SELECT * FROM `main`.`secret`
SELECT * FROM 'main'.'secret'
SELECT * FROM main.'secret'
SELECT * FROM main . secret
SELECT * FROM main/**/./**/secret
SELECT * FROM temp.secret
SELECT * FROM [vault.secret]
SELECT * FROM "open a"
SELECT * FROM secret open_a
SELECT * FROM (secret)
SELECT * FROM (secret) AS open_a
SELECT * FROM (open_a, secret)
SELECT*FROM secret
SELECT 1FROM secret
SELECT''FROM secret
SELECT*FROM[secret]
SELECT * FROM open_a;SELECT * FROM secret
SELECT * FROM open_a; DELETE FROM secret
SELECT * FROM open_a /* /* */, secret
SELECT * FROM open_a /* /* */, secret /* */ -- */
SELECT * FROM open_a --'⏎, secret --'
SELECT * FROM open_a /*'*/, secret /*'*/
SELECT '\' FROM secret --'
SELECT '\', s FROM secret --'
SELECT 'a''' FROM secret --'
SELECT "a""" FROM (SELECT 1 AS "a""") t, secret --"
SELECT [a] FROM (SELECT 1 AS [a]), secret
SELECT [a']FROM(SELECT 1 AS [a']),secret--'
SELECT `a``'` FROM (SELECT 1 AS `a``'`), secret --'
SELECT x'00' FROM secret
SELECT 1 <--'⏎ (SELECT id FROM secret) --'
SELECT 1 ->--'⏎ (SELECT id FROM secret) --'
SELECT 1 ||--'⏎ (SELECT s FROM secret) --'
SELECT 1 -/*'*/ (SELECT id FROM secret) /*'*/
SELECT $$ FROM secret
SELECT $a$ FROM secret --$a$
SELECT E'\' FROM secret --'
SELECT * FROM sqlite_master
SELECT * FROM sqlite_schema
SELECT * FROM main.sqlite_master
SELECT * FROM "sqlite_master"
SELECT * FROM SQLITE_MASTER
SELECT * FROM sqlite_temp_master
SELECT * FROM temp.sqlite_master
SELECT * FROM sqlite_sequence
SELECT * FROM sqlite_stat1
SELECT * FROM sqlite_dbpage
SELECT * FROM dbstat
SELECT * FROM pragma_table_info('secret')
SELECT * FROM pragma_table_list
SELECT * FROM pragma_database_list
SELECT * FROM pragma_index_list('secret')
SELECT * FROM open_a, pragma_function_list
SELECT * FROM json_each
DELETE FROM sqlite_sequence
UPDATE sqlite_master SET sql = ''
INSERT INTO sqlite_master VALUES (1, 2, 3, 4, 5)
SELECT * FROM poolhouse_migrations
SELECT * FROM [Poolhouse_Migrations]
SELECT * FROM 'poolhouse_migrations'
DELETE FROM "POOLHOUSE_MIGRATIONS"
SELECT * FROM poolhouse_cursor_1
SELECT load_extension('x')
SELECT readfile('/etc/passwd')
SELECT writefile('/tmp/x', 'y')
SELECT edit('x')
SELECT fts3_tokenizer('x')
SELECT sqlite_source_id()
SELECT sqlite_compileoption_get(1)
SELECT total_changes()
SELECT sqlite_offset(id) FROM open_a
SELECT * FROM secret_view
SELECT * FROM main.secret_view
SELECT * FROM open_view, secret_view
PRAGMA table_info(secret)
PRAGMA writable_schema = 1
PRAGMA main.user_version
ATTACH DATABASE '/tmp/x.db' AS vault
ATTACH ':memory:' AS vault
DETACH vault
VACUUM
VACUUM INTO '/tmp/x.db'
ANALYZE
REINDEX
BEGIN
BEGIN IMMEDIATE
END
COMMIT
ROLLBACK
SAVEPOINT s
RELEASE s
CREATE TABLE t AS SELECT * FROM secret
CREATE TEMP TABLE open_a AS SELECT * FROM secret
CREATE VIEW v AS SELECT * FROM secret
CREATE TEMP VIEW open_a AS SELECT * FROM secret
CREATE TRIGGER t AFTER INSERT ON mine BEGIN DELETE FROM secret; END
CREATE VIRTUAL TABLE v USING fts5(a)
CREATE INDEX i ON secret (s)
DROP TABLE secret
DROP VIEW open_view
ALTER TABLE mine RENAME TO poolhouse_migrations
EXPLAIN DELETE FROM secret
