# Writing what is not granted, and reading by writing.
INSERT INTO secret VALUES (7, 'x')
INSERT INTO secret (id) VALUES (7)
INSERT INTO secret DEFAULT VALUES
INSERT INTO secret SELECT id + 100, x FROM open_a
INSERT INTO secret AS mine VALUES (8)
INSERT INTO secret AS mine (id) VALUES (8) ON CONFLICT DO NOTHING
INSERT INTO "secret" VALUES (7, 'x')
INSERT INTO open_a (id) VALUES (70)
INSERT INTO mine SELECT id + 100, s FROM secret
INSERT INTO mine (SELECT id + 200, s FROM secret)
INSERT INTO mine VALUES (9, (SELECT s FROM secret LIMIT 1))
INSERT INTO mine (id, x) VALUES (1, 'a'), (2, (SELECT s FROM secret LIMIT 1))
INSERT INTO mine VALUES (10) RETURNING (SELECT s FROM secret LIMIT 1)
INSERT INTO mine VALUES (1, 'x') ON CONFLICT (id) DO UPDATE SET x = (SELECT s FROM secret LIMIT 1)
INSERT INTO mine VALUES (1, 'x') ON CONFLICT (id) DO UPDATE SET (x, n) = (SELECT s, id FROM secret LIMIT 1)
INSERT INTO drop_box VALUES (1) RETURNING id
INSERT INTO drop_box VALUES (1) RETURNING *
INSERT INTO drop_box VALUES (1) ON CONFLICT (id) DO NOTHING
INSERT INTO drop_box VALUES (1) ON CONFLICT (id) DO UPDATE SET x = 'a'
INSERT INTO drop_box SELECT * FROM drop_box
UPDATE drop_box SET x = 'a'
UPDATE drop_box SET x = 'a' WHERE id = 1
DELETE FROM drop_box
DELETE FROM drop_box WHERE x = 'a'
SELECT * FROM drop_box
UPDATE secret SET s = 'x'
UPDATE secret AS mine SET s = 'x'
UPDATE secret mine SET s = mine.s
UPDATE open_a SET x = 'y'
UPDATE mine SET x = secret.s FROM secret
UPDATE mine SET x = s.s FROM secret AS s WHERE s.id = mine.id
UPDATE mine SET x = t.s FROM (SELECT * FROM secret) AS t
UPDATE mine SET x = (SELECT s FROM secret LIMIT 1)
UPDATE mine SET (x, n) = (SELECT s, id FROM secret LIMIT 1)
UPDATE mine SET x = 'y' WHERE id IN (SELECT id FROM secret)
UPDATE mine SET x = 'y' RETURNING (SELECT s FROM secret LIMIT 1)
UPDATE mine SET x = 'y' FROM secret RETURNING secret.s
DELETE FROM secret
DELETE FROM secret AS mine WHERE mine.id = 1
DELETE FROM open_a
DELETE FROM mine WHERE id = (SELECT id FROM secret LIMIT 1)
DELETE FROM mine WHERE x IN (SELECT s FROM secret)
DELETE FROM mine RETURNING (SELECT s FROM secret LIMIT 1)
INSERT OR REPLACE INTO secret VALUES (1, 'x', 'y')
REPLACE INTO secret VALUES (1, 'x', 'y')
INSERT OR IGNORE INTO main.secret VALUES (1, 'x', 'y')
UPDATE OR REPLACE secret SET s = 'x'
INSERT OR REPLACE INTO mine SELECT id, s FROM secret
REPLACE INTO mine VALUES (1, (SELECT s FROM secret))
INSERT OR ROLLBACK INTO mine VALUES (1)
UPDATE mine SET x = 'y' WHERE id IN secret
DELETE FROM mine WHERE id IN secret
UPDATE mine SET x = 'y' WHERE EXISTS (SELECT 1 FROM secret)
INSERT INTO mine VALUES (1, 'x') ON CONFLICT (id) DO UPDATE SET x = excluded.x WHERE EXISTS (SELECT 1 FROM secret)
UPDATE mine INDEXED BY mine_x SET x = (SELECT s FROM secret)
DELETE FROM secret NOT INDEXED
UPDATE open_view SET x = 'y'
DELETE FROM open_view
INSERT INTO open_view VALUES (1, 'x')
