# Views, partitions and children: each is granted by its own name.
SELECT * FROM secret_view
SELECT * FROM public.secret_view
SELECT * FROM "secret_view"
SELECT (SELECT s FROM secret_view LIMIT 1)
SELECT * FROM secret_kept
SELECT * FROM open_view, secret_view
SELECT * FROM open_view JOIN secret USING (id)
SELECT * FROM open_view WHERE x IN (SELECT s FROM secret)
SELECT * FROM open_view FOR UPDATE
UPDATE open_view SET x = 'y'
DELETE FROM open_view
INSERT INTO open_view VALUES (1)
INSERT INTO mine SELECT s.id, s.s FROM secret_view s
SELECT * FROM child
SELECT * FROM ONLY child
SELECT * FROM ONLY parent
SELECT * FROM child AS parent
INSERT INTO child VALUES (1, 'x')
INSERT INTO parent VALUES (1, 'x')
UPDATE parent SET x = 'y'
DELETE FROM parent
SELECT * FROM heir
SELECT * FROM ONLY heir
SELECT * FROM heir AS open_b
SELECT s FROM heir, open_b
UPDATE heir SET x = 'y'
SELECT open_view.leak FROM open_view
SELECT parent.leak FROM parent
WITH open_view AS (SELECT * FROM secret_view) SELECT * FROM open_view
EXPLAIN SELECT * FROM secret_view
