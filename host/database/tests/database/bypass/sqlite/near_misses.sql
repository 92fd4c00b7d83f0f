# What is granted, in the shape of an attempt: it may run, and touches only that.
SELECT 'SELECT * FROM secret'
SELECT "SELECT * FROM secret"
SELECT x AS secret FROM open_a
SELECT secret.x FROM open_a AS secret
WITH secret AS (SELECT * FROM open_a) SELECT * FROM secret
WITH secret AS (SELECT * FROM open_a) SELECT * FROM "SECRET"
WITH secret AS (SELECT 1 AS id) SELECT * FROM open_a WHERE id IN secret
WITH secret (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM secret WHERE n < 3) SELECT * FROM secret
WITH secret AS (SELECT 90 AS id) INSERT INTO mine SELECT id, 'x' FROM secret
SELECT * FROM (SELECT * FROM open_a) AS secret
SELECT * FROM open_view
SELECT count(*) FROM open_view
SELECT * FROM OPEN_A
SELECT * FROM [Open_A]
SELECT * FROM `open_a` AS [secret]
SELECT '/*', '--' FROM open_a -- , secret
SELECT * FROM open_a /* /* , secret */
SELECT '\', 'secret' FROM open_a
SELECT * FROM open_a WHERE id IN open_b_ids
SELECT * FROM open_a NOT INDEXED
SELECT * FROM mine INDEXED BY mine_x WHERE x = 'secret'
INSERT INTO drop_box VALUES (1, 'x')
INSERT OR REPLACE INTO drop_box VALUES (1, 'x')
REPLACE INTO mine VALUES (1, 'secret')
UPDATE mine AS secret SET x = 'secret'
DELETE FROM mine AS secret WHERE secret.id = 1
SELECT * FROM json_each('["secret"]') AS secret
EXPLAIN QUERY PLAN SELECT * FROM open_a
SELECT typeof(secret.value) FROM json_each('[1]') AS secret
