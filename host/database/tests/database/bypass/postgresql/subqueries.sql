# A table that is not granted, wherever a query can stand.
SELECT (SELECT s FROM secret LIMIT 1)
SELECT x, (SELECT s FROM secret LIMIT 1) FROM open_a
SELECT x || (SELECT s FROM secret LIMIT 1) FROM open_a
SELECT * FROM open_a WHERE x = (SELECT s FROM secret LIMIT 1)
SELECT * FROM open_a WHERE (SELECT s FROM secret LIMIT 1) IS NOT NULL
SELECT * FROM open_a WHERE id IN (SELECT id FROM secret)
SELECT * FROM open_a WHERE id NOT IN (SELECT id FROM secret)
SELECT * FROM open_a WHERE EXISTS (SELECT FROM secret)
SELECT * FROM open_a WHERE NOT EXISTS (SELECT 1 FROM secret s WHERE s.id = open_a.id)
SELECT * FROM open_a WHERE id = ANY (SELECT id FROM secret)
SELECT * FROM open_a WHERE id > ALL (SELECT id FROM secret)
SELECT * FROM open_a WHERE id = SOME (SELECT id FROM secret)
SELECT * FROM open_a WHERE (id, x) = (SELECT id, s FROM secret LIMIT 1)
SELECT * FROM open_a WHERE ROW (id, x) IN (SELECT id, s FROM secret)
SELECT * FROM open_a WHERE x LIKE (SELECT s FROM secret LIMIT 1)
SELECT * FROM open_a WHERE x SIMILAR TO (SELECT s FROM secret LIMIT 1)
SELECT * FROM open_a WHERE x BETWEEN (SELECT s FROM secret LIMIT 1) AND 'z'
SELECT * FROM open_a WHERE x IS DISTINCT FROM (SELECT s FROM secret LIMIT 1)
SELECT * FROM open_a ORDER BY (SELECT s FROM secret LIMIT 1)
SELECT * FROM open_a ORDER BY x COLLATE "C", (SELECT id FROM secret LIMIT 1) NULLS FIRST
SELECT * FROM open_a LIMIT (SELECT id FROM secret LIMIT 1)
SELECT * FROM open_a OFFSET (SELECT id FROM secret LIMIT 1)
SELECT * FROM open_a FETCH FIRST (SELECT id FROM secret LIMIT 1) ROWS ONLY
SELECT count(*) FROM open_a GROUP BY (SELECT s FROM secret LIMIT 1)
SELECT count(*) FROM open_a GROUP BY id HAVING count(*) > (SELECT id FROM secret LIMIT 1)
SELECT count(*) FROM open_a GROUP BY GROUPING SETS ((id), ((SELECT s FROM secret LIMIT 1)))
SELECT count(*) FROM open_a GROUP BY CUBE (id, (SELECT s FROM secret LIMIT 1))
SELECT count(*) FROM open_a GROUP BY ROLLUP (id, (SELECT s FROM secret LIMIT 1))
SELECT DISTINCT ON ((SELECT s FROM secret LIMIT 1)) * FROM open_a
SELECT CASE WHEN EXISTS (SELECT FROM secret) THEN 1 END
SELECT CASE (SELECT s FROM secret LIMIT 1) WHEN 'a' THEN 1 ELSE 2 END
SELECT CASE WHEN true THEN (SELECT s FROM secret LIMIT 1) ELSE 'x' END
SELECT coalesce(NULL, (SELECT s FROM secret LIMIT 1))
SELECT nullif((SELECT s FROM secret LIMIT 1), 'x')
SELECT greatest((SELECT s FROM secret LIMIT 1), 'x')
SELECT ARRAY(SELECT s FROM secret)
SELECT ARRAY[(SELECT s FROM secret LIMIT 1)]
SELECT (ARRAY(SELECT s FROM secret))[1]
SELECT list[(SELECT id FROM secret LIMIT 1)] FROM open_a
SELECT list[(SELECT id FROM secret LIMIT 1):2] FROM open_a
SELECT ROW((SELECT s FROM secret LIMIT 1), 1)
SELECT (SELECT s FROM secret LIMIT 1)::text
SELECT CAST((SELECT s FROM secret LIMIT 1) AS text)
SELECT sum(id) FILTER (WHERE EXISTS (SELECT FROM secret)) FROM open_a
SELECT string_agg(x, (SELECT s FROM secret LIMIT 1)) FROM open_a
SELECT array_agg(x ORDER BY (SELECT s FROM secret LIMIT 1)) FROM open_a
SELECT percentile_cont((SELECT id FROM secret LIMIT 1)) WITHIN GROUP (ORDER BY id) FROM open_a
SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY (SELECT id FROM secret LIMIT 1)) FROM open_a
SELECT sum(id) OVER (PARTITION BY (SELECT s FROM secret LIMIT 1)) FROM open_a
SELECT sum(id) OVER (ORDER BY (SELECT s FROM secret LIMIT 1)) FROM open_a
SELECT sum(id) OVER (ORDER BY id ROWS (SELECT id FROM secret LIMIT 1) PRECEDING) FROM open_a
SELECT sum(id) OVER w FROM open_a WINDOW w AS (PARTITION BY (SELECT s FROM secret LIMIT 1))
SELECT lag(x, 1, (SELECT s FROM secret LIMIT 1)) OVER (ORDER BY id) FROM open_a
SELECT EXTRACT(epoch FROM now() + make_interval(secs => (SELECT id FROM secret LIMIT 1)))
SELECT substring((SELECT s FROM secret LIMIT 1) FROM 1 FOR 2)
SELECT trim(both 'x' from (SELECT s FROM secret LIMIT 1))
SELECT position('o' in (SELECT s FROM secret LIMIT 1))
SELECT overlay('abc' placing (SELECT s FROM secret LIMIT 1) from 1)
SELECT (SELECT s FROM secret LIMIT 1) COLLATE "C"
SELECT now() AT TIME ZONE (SELECT s FROM secret LIMIT 1)
SELECT interval '1 day' * (SELECT id FROM secret LIMIT 1)
SELECT -(SELECT id FROM secret LIMIT 1)
SELECT NOT EXISTS (SELECT FROM secret)
SELECT (SELECT s FROM secret LIMIT 1) IS NULL
SELECT jsonb_build_object('a', (SELECT s FROM secret LIMIT 1))
SELECT to_json((SELECT secret FROM secret LIMIT 1))
SELECT doc -> (SELECT s FROM secret LIMIT 1) FROM open_a
SELECT xmlelement(name a, (SELECT s FROM secret LIMIT 1))
SELECT xmlforest((SELECT s FROM secret LIMIT 1) AS a)
SELECT make_interval(days => (SELECT id FROM secret LIMIT 1))
SELECT concat(VARIADIC ARRAY(SELECT s FROM secret))
SELECT * FROM (SELECT s FROM secret) t
SELECT * FROM (SELECT * FROM (SELECT * FROM (SELECT * FROM secret) a) b) c
SELECT * FROM (VALUES ((SELECT s FROM secret LIMIT 1))) v
SELECT * FROM open_a JOIN secret ON true
SELECT * FROM open_a JOIN open_b ON open_a.x = (SELECT s FROM secret LIMIT 1)
SELECT * FROM open_a JOIN open_b ON EXISTS (SELECT FROM secret)
SELECT * FROM open_a LEFT JOIN secret USING (id)
SELECT * FROM open_a RIGHT JOIN secret USING (id)
SELECT * FROM open_a FULL JOIN secret USING (id)
SELECT * FROM open_a CROSS JOIN secret
SELECT * FROM open_a NATURAL JOIN secret
SELECT * FROM open_a NATURAL LEFT JOIN secret
SELECT * FROM open_a, secret
SELECT * FROM open_a, LATERAL (SELECT * FROM secret WHERE secret.id = open_a.id) t
SELECT * FROM open_a LEFT JOIN LATERAL (SELECT * FROM secret) t ON true
SELECT * FROM (open_a JOIN secret USING (id))
SELECT * FROM ((open_a JOIN open_b USING (id)) JOIN secret USING (id))
SELECT * FROM (open_a CROSS JOIN (open_b CROSS JOIN secret))
SELECT * FROM (secret)
SELECT * FROM generate_series(1, (SELECT id FROM secret LIMIT 1))
SELECT * FROM unnest(ARRAY(SELECT s FROM secret))
SELECT * FROM jsonb_to_recordset((SELECT jsonb_agg(secret) FROM secret)) AS t(id int)
SELECT * FROM ROWS FROM (generate_series(1, (SELECT id FROM secret LIMIT 1)), generate_series(1, 2)) AS t
SELECT * FROM open_a TABLESAMPLE system ((SELECT id FROM secret LIMIT 1))
SELECT * FROM open_a TABLESAMPLE bernoulli (50) REPEATABLE ((SELECT id FROM secret LIMIT 1))
SELECT * FROM secret TABLESAMPLE system (100)
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
TABLE secret
TABLE open_a UNION ALL SELECT id, x, NULL, NULL, 1 FROM secret
SELECT 1 UNION TABLE secret
SELECT (TABLE secret)
SELECT EXISTS (TABLE secret)
SELECT * FROM (TABLE secret) t
SELECT secret FROM secret
SELECT secret.* FROM secret
SELECT (secret).s FROM secret
SELECT (secret.*)::text FROM secret
SELECT secret::text FROM secret
SELECT row_to_json(secret) FROM secret
SELECT count(*) FROM secret
SELECT FROM secret
SELECT ctid, xmin, tableoid::regclass FROM secret
SELECT s.ctid FROM secret AS s
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
EXPLAIN ANALYZE SELECT * FROM secret
EXPLAIN (ANALYZE, VERBOSE) SELECT * FROM secret
EXPLAIN (FORMAT JSON) SELECT * FROM open_a WHERE x = (SELECT s FROM secret LIMIT 1)
SELECT XMLSERIALIZE(CONTENT (SELECT s FROM secret LIMIT 1)::xml AS text)
SELECT * FROM xmltable('/a' PASSING (SELECT s FROM secret LIMIT 1)::xml COLUMNS a int PATH 'a')
SELECT * FROM xmltable('/a' PASSING '<a/>'::xml COLUMNS a text PATH 'a' DEFAULT (SELECT s FROM secret LIMIT 1))
SELECT grouping(id) + (SELECT id FROM secret LIMIT 1) FROM open_a GROUP BY id
SELECT * FROM open_a WHERE (SELECT true FROM secret LIMIT 1)
SELECT * FROM open_a WHERE id = $1 OR x = (SELECT s FROM secret LIMIT 1)
SELECT * FROM open_a WHERE x ~ (SELECT s FROM secret LIMIT 1)
SELECT * FROM open_a WHERE list && ARRAY(SELECT id FROM secret)
SELECT * FROM open_a WHERE doc @> (SELECT s FROM secret LIMIT 1)::jsonb
SELECT (SELECT s FROM secret LIMIT 1) AS "x", 'FROM open_a' AS y
SELECT *, (SELECT s FROM secret WHERE secret.id = open_a.id) FROM open_a
SELECT (SELECT (SELECT (SELECT s FROM secret LIMIT 1)))
SELECT rank(1) WITHIN GROUP (ORDER BY (SELECT id FROM secret LIMIT 1))
SELECT any_of.s FROM (SELECT s FROM secret) AS any_of
