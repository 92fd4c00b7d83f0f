# What the parser reads on past, stops before or takes for another: a word END behind a statement,
SELECT s FROM open_a end, secret
SELECT s end FROM secret
SELECT sql FROM open_a end, sqlite_master
INSERT INTO mine (x) SELECT s FROM open_a end, secret RETURNING x
DELETE FROM mine WHERE id = 1 RETURNING x end, (SELECT s FROM secret LIMIT 1)
# FROM as an operand,
SELECT s ilike FROM secret
SELECT s rlike FROM secret
SELECT s xor FROM secret
SELECT s overlaps FROM secret
SELECT s similar FROM secret
SELECT s div FROM secret
SELECT max(s) over FROM secret
SELECT max(s) filter FROM secret
SELECT s match FROM secret
SELECT s glob FROM secret
SELECT s regexp FROM secret
SELECT s like FROM secret
SELECT s operator FROM secret
SELECT s at FROM secret
WITH q AS (SELECT s ilike FROM secret) SELECT * FROM q
SELECT (SELECT s xor FROM secret LIMIT 1)
INSERT INTO mine (x) SELECT s ilike FROM secret
# a placeholder with a name in parentheses,
SELECT $2::foo(') , s FROM secret --')
SELECT $2(') , s FROM secret --')
SELECT $2::a::b(') , s FROM secret --')
WITH q AS (SELECT $2::foo(') ) DELETE FROM secret RETURNING s --') ) SELECT 1
SELECT $1::foo(') , sql FROM sqlite_master --')
SELECT $1:
SELECT $1::int
# and hints about indexes that are none
SELECT s, indexed by FROM secret, (SELECT 1 AS indexed)
SELECT indexed by FROM secret, (SELECT 1 AS indexed)
SELECT s, not indexed FROM secret, (SELECT 1 AS indexed)
SELECT s FROM open_a indexed by FROM secret
SELECT s FROM open_a not indexed, secret
SELECT x indexed by FROM secret
INSERT INTO mine (x) SELECT s, indexed by FROM secret, (SELECT 1 AS indexed)
SELECT 1 WHERE 1 not indexed IN (SELECT s FROM secret)
