# A table that is not granted, wherever a query can stand.
SELECT (SELECT s FROM secret LIMIT 1)
SELECT x, (SELECT s FROM secret LIMIT 1) FROM open_a
SELECT x || (SELECT s FROM secret LIMIT 1) FROM open_a
SELECT * FROM open_a WHERE x = (SELECT s FROM secret LIMIT 1)
SELECT * FROM open_a WHERE (SELECT s FROM secret LIMIT 1) IS NOT NULL
SELECT * FROM open_a WHERE id IN (SELECT id FROM secret)
SELECT * FROM open_a WHERE id NOT IN (SELECT id FROM secret)
SELECT * FROM open_a WHERE NOT EXISTS (SELECT 1 FROM secret s WHERE s.id = open_a.id)
SELECT * FROM open_a WHERE (id, x) = (SELECT id, s FROM secret LIMIT 1)
SELECT * FROM open_a WHERE x LIKE (SELECT s FROM secret LIMIT 1)
SELECT * FROM open_a WHERE x BETWEEN (SELECT s FROM secret LIMIT 1) AND 'z'
SELECT * FROM open_a ORDER BY (SELECT s FROM secret LIMIT 1)
SELECT * FROM open_a LIMIT (SELECT id FROM secret LIMIT 1)
SELECT * FROM open_a OFFSET (SELECT id FROM secret LIMIT 1)
SELECT count(*) FROM open_a GROUP BY (SELECT s FROM secret LIMIT 1)
SELECT count(*) FROM open_a GROUP BY id HAVING count(*) > (SELECT id FROM secret LIMIT 1)
SELECT CASE (SELECT s FROM secret LIMIT 1) WHEN 'a' THEN 1 ELSE 2 END
SELECT CASE WHEN true THEN (SELECT s FROM secret LIMIT 1) ELSE 'x' END
SELECT coalesce(NULL, (SELECT s FROM secret LIMIT 1))
SELECT nullif((SELECT s FROM secret LIMIT 1), 'x')
SELECT CAST((SELECT s FROM secret LIMIT 1) AS text)
SELECT string_agg(x, (SELECT s FROM secret LIMIT 1)) FROM open_a
SELECT array_agg(x ORDER BY (SELECT s FROM secret LIMIT 1)) FROM open_a
SELECT sum(id) OVER (PARTITION BY (SELECT s FROM secret LIMIT 1)) FROM open_a
SELECT sum(id) OVER (ORDER BY (SELECT s FROM secret LIMIT 1)) FROM open_a
SELECT sum(id) OVER w FROM open_a WINDOW w AS (PARTITION BY (SELECT s FROM secret LIMIT 1))
SELECT lag(x, 1, (SELECT s FROM secret LIMIT 1)) OVER (ORDER BY id) FROM open_a
SELECT substring((SELECT s FROM secret LIMIT 1) FROM 1 FOR 2)
SELECT -(SELECT id FROM secret LIMIT 1)
SELECT (SELECT s FROM secret LIMIT 1) IS NULL
SELECT * FROM (SELECT s FROM secret) t
SELECT * FROM (SELECT * FROM (SELECT * FROM (SELECT * FROM secret) a) b) c
SELECT * FROM (VALUES ((SELECT s FROM secret LIMIT 1))) v
SELECT * FROM open_a JOIN secret ON true
SELECT * FROM open_a JOIN open_b ON open_a.x = (SELECT s FROM secret LIMIT 1)
SELECT * FROM open_a LEFT JOIN secret USING (id)
SELECT * FROM open_a RIGHT JOIN secret USING (id)
SELECT * FROM open_a FULL JOIN secret USING (id)
SELECT * FROM open_a CROSS JOIN secret
SELECT * FROM open_a NATURAL JOIN secret
SELECT * FROM open_a NATURAL LEFT JOIN secret
SELECT * FROM open_a, secret
SELECT * FROM (open_a JOIN secret USING (id))
SELECT * FROM ((open_a JOIN open_b USING (id)) JOIN secret USING (id))
SELECT * FROM (open_a CROSS JOIN (open_b CROSS JOIN secret))
SELECT * FROM generate_series(1, (SELECT id FROM secret LIMIT 1))
SELECT x FROM open_a UNION SELECT s FROM secret
SELECT x FROM open_a UNION ALL (SELECT s FROM secret)
SELECT x FROM open_a INTERSECT SELECT s FROM secret
SELECT x FROM open_a EXCEPT ALL SELECT s FROM secret
(SELECT s FROM secret)
((SELECT s FROM secret))
(SELECT x FROM open_a) UNION (SELECT x FROM open_b UNION SELECT s FROM secret) ORDER BY 1
(SELECT x FROM open_a ORDER BY (SELECT s FROM secret LIMIT 1) LIMIT 1) UNION SELECT 'x'
VALUES ((SELECT s FROM secret LIMIT 1))
VALUES (1), ((SELECT id FROM secret LIMIT 1))
SELECT * FROM (VALUES (1), ((SELECT id FROM secret LIMIT 1))) v ORDER BY 1
SELECT secret FROM secret
SELECT secret.* FROM secret
SELECT count(*) FROM secret
SELECT * FROM secret AS open_a
SELECT open_a.s FROM secret AS open_a
SELECT open_a.* FROM secret open_a
SELECT * FROM secret AS open_a (id, x, y)
SELECT 1 FROM open_a, secret AS open_b
SELECT * FROM secret s1 JOIN secret s2 USING (id)
SELECT max(id) FROM secret WHERE id = 1
SELECT * FROM secret WHERE false
SELECT * FROM open_a LEFT JOIN secret ON false
EXPLAIN SELECT * FROM secret
SELECT * FROM open_a WHERE (SELECT true FROM secret LIMIT 1)
SELECT * FROM open_a WHERE id = $1 OR x = (SELECT s FROM secret LIMIT 1)
SELECT * FROM open_a WHERE x ~ (SELECT s FROM secret LIMIT 1)
SELECT (SELECT s FROM secret LIMIT 1) AS "x", 'FROM open_a' AS y
SELECT *, (SELECT s FROM secret WHERE secret.id = open_a.id) FROM open_a
SELECT (SELECT (SELECT (SELECT s FROM secret LIMIT 1)))
SELECT any_of.s FROM (SELECT s FROM secret) AS any_of
SELECT x COLLATE NOCASE, (SELECT s FROM secret LIMIT 1) FROM open_a
SELECT max(id, (SELECT id FROM secret LIMIT 1)) FROM open_a
SELECT * FROM open_a WHERE id IN secret
SELECT * FROM open_a WHERE id NOT IN secret
SELECT * FROM open_a WHERE id IN main.secret
SELECT * FROM open_a WHERE id IN "secret"
SELECT * FROM open_a WHERE id IN 'secret'
SELECT * FROM open_a WHERE id IN main.'secret'
SELECT * FROM open_a WHERE id IN [secret]
SELECT * FROM open_a WHERE id IN json_each((SELECT s FROM secret))
SELECT * FROM open_a, json_each((SELECT s FROM secret))
SELECT * FROM open_a LIMIT (SELECT id FROM secret LIMIT 1), 1
SELECT x GLOB (SELECT s FROM secret LIMIT 1) FROM open_a
SELECT x LIKE (SELECT s FROM secret LIMIT 1) ESCAPE 'a' FROM open_a
SELECT id << (SELECT id FROM secret LIMIT 1) FROM open_a
SELECT group_concat(x, (SELECT s FROM secret LIMIT 1)) FROM open_a
SELECT iif(1, (SELECT s FROM secret LIMIT 1), 2)
SELECT CAST((SELECT s FROM secret LIMIT 1) AS TEXT)
SELECT (id, x) = (SELECT id, s FROM secret) FROM open_a
SELECT * FROM secret NOT INDEXED
SELECT * FROM open_a NOT INDEXED, secret
SELECT * FROM secret INDEXED BY secret_s WHERE s = 'a'
SELECT * FROM open_a INDEXED BY x, secret
EXPLAIN QUERY PLAN SELECT * FROM secret
SELECT * FROM open_a WHERE id IN users_ids
SELECT * FROM open_a WHERE id NOT IN users_ids
SELECT * FROM open_a WHERE id IN main.users_ids
SELECT * FROM open_a WHERE id IN [USERS_IDS]
SELECT * FROM open_a WHERE id IN 'users_ids'
SELECT * FROM open_a WHERE (id IN users_ids) IS NULL
WITH open_b_ids AS (SELECT 1) SELECT * FROM open_a WHERE id IN users_ids
SELECT * FROM open_a ORDER BY id IN users_ids
