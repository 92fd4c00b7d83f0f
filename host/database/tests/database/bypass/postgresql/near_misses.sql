# What is granted, in the shape of an attempt: it may run, and touches only that.
SELECT 'SELECT * FROM secret'
SELECT 'secret', x FROM open_a
SELECT x AS secret FROM open_a
SELECT secret.x FROM open_a AS secret
SELECT * FROM open_a secret
SELECT * FROM open_a AS secret (id, s)
WITH secret AS (SELECT * FROM open_a) SELECT * FROM secret
WITH secret AS (SELECT 1 AS s) SELECT secret.s FROM secret
WITH secret (s) AS (VALUES (1)) SELECT (SELECT s FROM secret)
WITH RECURSIVE secret (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM secret WHERE n < 3) SELECT * FROM secret
WITH RECURSIVE a AS (SELECT * FROM secret), secret AS (SELECT 1) SELECT * FROM a
WITH secret AS (SELECT id FROM open_a) SELECT * FROM open_b WHERE id IN (SELECT id FROM secret)
WITH secret AS (DELETE FROM mine RETURNING *) SELECT * FROM secret
WITH secret AS (SELECT 90 AS id) INSERT INTO mine SELECT id FROM secret
SELECT * FROM (SELECT * FROM open_a) AS secret
SELECT * FROM generate_series(1, 3) AS secret
SELECT secret FROM generate_series(1, 3) AS secret
SELECT "secret" FROM (SELECT 1 AS "secret") t
SELECT * FROM open_view
SELECT * FROM open_view_of_view
SELECT count(*) FROM open_view
SELECT * FROM parent
SELECT * FROM open_b
SELECT open_a.twice FROM open_a
SELECT tableoid::regclass FROM open_b
SELECT 'secret'::regclass
SELECT NULL::secret
SELECT pg_typeof(open_a) FROM open_a
SELECT open_a::text FROM open_a
SELECT (open_a).x FROM open_a
SELECT open_a.* FROM open_a
SELECT row_to_json(open_a) FROM open_a
SELECT upper(x) FROM open_a
SELECT open_a.md5 FROM (SELECT 1 AS md5) AS open_a
SELECT x.upper FROM unnest(ARRAY['a']) AS x
SELECT 'Function leak()' AS leak
SELECT x AS leak FROM open_a
SELECT '/* ' || x || ' */' FROM open_a
SELECT '--' FROM open_a -- , secret
SELECT * FROM open_a /* , secret */
SELECT * FROM open_a /* /* , secret */ , secret */
SELECT $$, secret$$ FROM open_a
SELECT E'\'', x FROM open_a
SELECT "x" FROM "open_a"
SELECT * FROM PUBLIC.OPEN_A
SELECT * FROM public."open_a"
SELECT 1 AS "from secret"
INSERT INTO drop_box VALUES (1, 'x')
INSERT INTO drop_box VALUES (2, 'x') ON CONFLICT DO NOTHING
INSERT INTO drop_box SELECT id + 10, x FROM open_a
INSERT INTO mine AS secret VALUES (91)
INSERT INTO mine VALUES (92) RETURNING id AS secret
UPDATE mine AS secret SET x = 'secret'
DELETE FROM mine AS secret WHERE secret.id = 1
MERGE INTO mine AS secret USING open_a ON secret.id = open_a.id WHEN MATCHED THEN UPDATE SET x = open_a.x
SELECT nextval('mine_seq')
SELECT nextval('public.mine_seq'::regclass)
SELECT setval('mine_seq', 5)
SELECT * FROM mine FOR UPDATE
SELECT * FROM mine AS secret FOR UPDATE OF secret
EXPLAIN SELECT * FROM open_a
SELECT 1 - -1, 2 * 3, 'a' || 'b', 1 < 2
SELECT doc -> 'a', doc ->> 'a', doc #> '{a}', doc @> '{}', doc ? 'a' FROM open_a
SELECT list && ARRAY[1] FROM open_a
