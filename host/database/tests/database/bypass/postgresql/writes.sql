# Writing what is not granted, and reading by writing.
INSERT INTO secret VALUES (7, 'x')
INSERT INTO secret (id) VALUES (7)
INSERT INTO secret DEFAULT VALUES
INSERT INTO secret SELECT id + 100, x FROM open_a
INSERT INTO secret TABLE open_b
INSERT INTO secret AS mine VALUES (8)
INSERT INTO secret AS mine (id) VALUES (8) ON CONFLICT DO NOTHING
INSERT INTO public.secret VALUES (7, 'x')
INSERT INTO "secret" VALUES (7, 'x')
INSERT INTO vault.secret VALUES (7, 'x')
INSERT INTO open_a (id) VALUES (70)
INSERT INTO mine SELECT id + 100, s FROM secret
INSERT INTO mine (SELECT id + 200, s FROM secret)
INSERT INTO mine TABLE secret
INSERT INTO mine VALUES (9, (SELECT s FROM secret LIMIT 1))
INSERT INTO mine (id, x) VALUES (1, 'a'), (2, (SELECT s FROM secret LIMIT 1))
INSERT INTO mine VALUES (10) RETURNING (SELECT s FROM secret LIMIT 1)
INSERT INTO mine VALUES (11) RETURNING id, EXISTS (SELECT FROM secret)
INSERT INTO mine VALUES (1, 'x') ON CONFLICT (id) DO UPDATE SET x = (SELECT s FROM secret LIMIT 1)
INSERT INTO mine VALUES (1, 'x') ON CONFLICT (id) DO UPDATE SET (x, n) = (SELECT s, id FROM secret LIMIT 1)
INSERT INTO mine VALUES (1, 'x') ON CONFLICT (id) DO UPDATE SET x = excluded.x WHERE EXISTS (SELECT FROM secret)
INSERT INTO mine VALUES (1, 'x') ON CONFLICT ON CONSTRAINT mine_pkey DO UPDATE SET x = (SELECT s FROM secret LIMIT 1)
INSERT INTO mine VALUES (1, 'x') ON CONFLICT (id) WHERE EXISTS (SELECT FROM secret) DO NOTHING
INSERT INTO mine (id, x) OVERRIDING SYSTEM VALUE SELECT id + 300, s FROM secret
INSERT INTO drop_box VALUES (1) RETURNING id
INSERT INTO drop_box VALUES (1) RETURNING *
INSERT INTO drop_box VALUES (1) ON CONFLICT (id) DO NOTHING
INSERT INTO drop_box VALUES (1) ON CONFLICT (id) DO UPDATE SET x = 'a'
INSERT INTO drop_box VALUES (1) ON CONFLICT ON CONSTRAINT drop_box_pkey DO UPDATE SET x = excluded.x
INSERT INTO drop_box SELECT * FROM drop_box
UPDATE drop_box SET x = 'a'
UPDATE drop_box SET x = 'a' WHERE id = 1
DELETE FROM drop_box
DELETE FROM drop_box WHERE x = 'a'
MERGE INTO drop_box d USING open_b b ON d.id = b.id WHEN MATCHED THEN DELETE
MERGE INTO drop_box d USING open_b b ON false WHEN NOT MATCHED THEN INSERT VALUES (5, 'm')
SELECT * FROM drop_box
UPDATE secret SET s = 'x'
UPDATE secret AS mine SET s = 'x'
UPDATE secret mine SET s = mine.s
UPDATE ONLY secret SET s = 'x'
UPDATE secret * SET s = 'x'
UPDATE public.secret SET s = 'x' WHERE id = 1
UPDATE vault.secret SET s = 'x'
UPDATE open_a SET x = 'y'
UPDATE mine SET x = secret.s FROM secret
UPDATE mine SET x = s.s FROM secret AS s WHERE s.id = mine.id
UPDATE mine SET x = t.s FROM (SELECT * FROM secret) AS t
UPDATE mine SET x = t.s FROM open_a, LATERAL (SELECT * FROM secret) AS t
UPDATE mine SET x = t.s FROM open_a JOIN secret AS t USING (id)
UPDATE mine SET x = (SELECT s FROM secret LIMIT 1)
UPDATE mine SET (x, n) = (SELECT s, id FROM secret LIMIT 1)
UPDATE mine SET (x, n) = ROW ((SELECT s FROM secret LIMIT 1), 1)
UPDATE mine SET x = 'y' WHERE id IN (SELECT id FROM secret)
UPDATE mine SET x = 'y' WHERE EXISTS (SELECT FROM secret)
UPDATE mine SET x = 'y' RETURNING (SELECT s FROM secret LIMIT 1)
UPDATE mine SET x = 'y' FROM secret RETURNING secret.s
UPDATE mine SET x = CASE WHEN EXISTS (SELECT FROM secret) THEN 'a' END
DELETE FROM secret
DELETE FROM ONLY secret
DELETE FROM secret *
DELETE FROM secret AS mine WHERE mine.id = 1
DELETE FROM open_a
DELETE FROM vault.secret
DELETE FROM mine USING secret WHERE secret.id = mine.id
DELETE FROM mine USING secret AS s, open_a
DELETE FROM mine USING open_a JOIN secret USING (id)
DELETE FROM mine USING (SELECT * FROM secret) AS t
DELETE FROM mine USING LATERAL (SELECT * FROM secret) AS t
DELETE FROM mine WHERE id = (SELECT id FROM secret LIMIT 1)
DELETE FROM mine WHERE x IN (SELECT s FROM secret)
DELETE FROM mine RETURNING (SELECT s FROM secret LIMIT 1)
DELETE FROM mine USING secret RETURNING secret.*
MERGE INTO secret USING open_a ON secret.id = open_a.id WHEN MATCHED THEN DELETE
MERGE INTO secret AS mine USING open_a ON mine.id = open_a.id WHEN MATCHED THEN UPDATE SET s = 'x'
MERGE INTO secret USING open_a ON false WHEN NOT MATCHED THEN INSERT VALUES (open_a.id + 900, 'x')
MERGE INTO ONLY secret USING open_a ON secret.id = open_a.id WHEN MATCHED THEN DO NOTHING
MERGE INTO vault.secret AS mine USING open_a ON mine.id = open_a.id WHEN MATCHED THEN DELETE
MERGE INTO mine USING secret ON mine.id = secret.id WHEN MATCHED THEN UPDATE SET x = secret.s
MERGE INTO mine USING secret AS open_a ON mine.id = open_a.id WHEN NOT MATCHED THEN DO NOTHING
MERGE INTO mine USING (SELECT * FROM secret) AS t ON mine.id = t.id WHEN MATCHED THEN DO NOTHING
MERGE INTO mine USING open_a ON mine.x = (SELECT s FROM secret LIMIT 1) WHEN MATCHED THEN DO NOTHING
MERGE INTO mine USING open_a ON mine.id = open_a.id WHEN MATCHED AND EXISTS (SELECT FROM secret) THEN DELETE
MERGE INTO mine USING open_a ON mine.id = open_a.id WHEN MATCHED THEN UPDATE SET x = (SELECT s FROM secret LIMIT 1)
MERGE INTO mine USING open_a ON mine.id = open_a.id WHEN MATCHED THEN UPDATE SET (x, n) = (SELECT s, id FROM secret LIMIT 1)
MERGE INTO mine USING open_a ON false WHEN NOT MATCHED THEN INSERT VALUES (open_a.id + 400, (SELECT s FROM secret LIMIT 1))
MERGE INTO mine USING open_a ON false WHEN NOT MATCHED AND EXISTS (SELECT FROM secret) THEN INSERT VALUES (open_a.id + 500)
MERGE INTO open_a USING mine ON open_a.id = mine.id WHEN MATCHED THEN UPDATE SET x = 'm'
SELECT * FROM open_a FOR UPDATE
SELECT * FROM open_a FOR SHARE
SELECT * FROM open_a FOR NO KEY UPDATE NOWAIT
SELECT * FROM open_a FOR KEY SHARE SKIP LOCKED
SELECT * FROM open_a, mine FOR UPDATE OF open_a
SELECT * FROM open_a AS mine FOR UPDATE OF mine
SELECT * FROM (SELECT * FROM open_a FOR UPDATE) t
SELECT * FROM mine, secret FOR UPDATE OF mine
SELECT * FROM secret AS mine FOR UPDATE OF mine
SELECT nextval('secret_seq')
SELECT nextval('public.secret_seq')
SELECT nextval('"secret_seq"')
SELECT nextval('SECRET_SEQ'::regclass)
SELECT nextval(('secret' || '_seq')::regclass)
SELECT nextval(x::regclass) FROM (VALUES ('secret_seq')) v(x)
SELECT nextval((SELECT 'secret_seq'::regclass))
SELECT pg_catalog.nextval('secret_seq')
SELECT setval('secret_seq', 5)
SELECT setval('secret_seq', 5, false)
SELECT currval('secret_seq')
SELECT last_value FROM secret_seq
SELECT * FROM secret_seq
SELECT * FROM mine WHERE n = nextval('secret_seq')
INSERT INTO mine VALUES (nextval('secret_seq'))
SELECT pg_sequence_last_value('secret_seq'::regclass)
SELECT nextval($1)
SELECT nextval('mine_seq'), nextval('secret_seq')
