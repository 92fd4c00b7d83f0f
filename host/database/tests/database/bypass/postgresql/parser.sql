# What the parser reads on past, stops before or takes for another: a word END behind a statement,
SELECT s end FROM secret
SELECT 1 end, s FROM secret, open_a
SELECT x FROM open_a end WHERE EXISTS (SELECT 1 FROM secret)
SELECT 1 end, query_to_xml('select s from secret', true, true, '')::text
SELECT 1 end, pg_read_file('/etc/hostname')
SELECT 1 end, rolname FROM pg_authid
SELECT 1 end, set_config('role', 'none', false)
SELECT 1 end FROM poolhouse_migrations
SELECT s end INTO stolen FROM secret
INSERT INTO mine (id) VALUES (77) RETURNING x end, (SELECT s FROM secret LIMIT 1)
UPDATE mine SET x = 'q' WHERE id = 1 RETURNING x end, (SELECT s FROM secret LIMIT 1)
DELETE FROM mine WHERE id = 1 RETURNING x end, (SELECT s FROM secret LIMIT 1)
INSERT INTO mine SELECT 1 end, s FROM secret
# FROM as an operand, behind a column's name that the parser takes for an operator,
SELECT s and FROM secret
SELECT s or FROM secret
SELECT s xor FROM secret
SELECT s like FROM secret
SELECT s ilike FROM secret
SELECT s rlike FROM secret
SELECT s regexp FROM secret
SELECT s collate FROM secret
SELECT s similar FROM secret
SELECT s between FROM secret
SELECT s in FROM secret
SELECT s is FROM secret
SELECT s not FROM secret
SELECT s div FROM secret
SELECT s mod FROM secret
SELECT s overlaps FROM secret
SELECT s operator FROM secret
SELECT max(s) over FROM secret
SELECT max(s) filter FROM secret
SELECT s at FROM secret
SELECT x as FROM secret
SELECT 1 union FROM secret
SELECT s interval FROM secret
SELECT s AS and FROM secret
SELECT id, s AS or FROM secret WHERE id = 1
UPDATE mine SET x = 'q' RETURNING x and FROM secret
INSERT INTO mine SELECT id, s or FROM secret
WITH q AS (SELECT s like FROM secret) SELECT * FROM q
SELECT (SELECT s xor FROM secret LIMIT 1)
SELECT array(SELECT s or FROM secret)
SELECT CASE WHEN true THEN (SELECT s and FROM secret LIMIT 1) END
# a string that goes on behind a line's end with the escapes of its first part,
SELECT E'a'⏎'\' , ' , s FROM secret --'
SELECT E'a'⏎⏎'\' , ' , s FROM secret --'
SELECT E'a' -- x⏎'\' , ' , s FROM secret --'
SELECT E'a'⏎ /* x */⏎'\' , ' , s FROM secret --'
SELECT e'a'⏎'b'⏎'\' , ' , s FROM secret --'
SELECT U&'a'⏎'\' , ' , s FROM secret --'
WITH a AS (SELECT E'a'⏎'\' , ' AS x), b AS (DELETE FROM users RETURNING password) SELECT * FROM b --' ) SELECT 1
SELECT E'a'⏎'\' , ' , set_config($$role$$, $$none$$, false) --'
# and what ends a statement for the parser alone
SELECT 1 go SELECT s FROM secret
SELECT 1 format json SELECT s FROM secret
SELECT 1 settings a = 1 FROM secret
SELECT x FROM open_a for update end, secret
VALUES (1) end, (s)
TABLE open_a end, secret
