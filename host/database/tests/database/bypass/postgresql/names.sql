# Spellings of a name: case, quotes, schemas, escapes, and what stands beside it.
SELECT * FROM SECRET
SELECT * FROM Secret
SELECT * FROM "secret"
SELECT * FROM "Secret"
SELECT * FROM public.secret
SELECT * FROM PUBLIC.SECRET
SELECT * FROM "public".secret
SELECT * FROM public."secret"
SELECT * FROM public . secret
SELECT * FROM public/**/./**/secret
SELECT * FROM public.⏎secret
SELECT * FROM bp.public.secret
SELECT * FROM vault.secret
SELECT * FROM vault.open_a
SELECT * FROM VAULT.OPEN_A
SELECT * FROM "vault"."open_a"
SELECT * FROM "vault.secret"
SELECT * FROM "Odd".open_a
SELECT * FROM "Odd"."open_a"
SELECT * FROM "open a"
SELECT * FROM "OPEN_A"
SELECT * FROM "Open_A"
SELECT * FROM ONLY secret
SELECT * FROM ONLY (secret)
SELECT * FROM ONLY public.secret
SELECT * FROM only secret AS open_a
SELECT * FROM ONLY poolhouse_migrations
SELECT * FROM "only", secret
SELECT * FROM secret*
SELECT * FROM secret *
SELECT * FROM secret * AS open_a
SELECT * FROM U&"secret"
SELECT * FROM U&"\0073ecret"
SELECT * FROM u&"\0073\0065cret"
SELECT * FROM U&"!0073ecret" UESCAPE '!'
SELECT * FROM U&"d!0061t!+000061" UESCAPE '!', secret
SELECT * FROM public.U&"\0073ecret"
SELECT U&"\0073" FROM secret
SELECT * FROM u, U&"secret"
SELECT "secret"."s" FROM "secret"
SELECT * FROM"secret"
SELECT*FROM secret
SELECT*FROM"secret"s
SELECT 1FROM secret
SELECT 1.FROM secret
SELECT .1FROM secret
SELECT 1e1FROM secret
SELECT 0x1FROM secret
SELECT''FROM secret
SELECT 'a'FROM secret
SELECT''"x"FROM secret
SELECT $$a$$FROM secret
SELECT 'a'⏎'b' FROM secret
SELECT(1)FROM(secret)
SELECT * FROM open_a,secret
SELECT * FROM open_a;SELECT * FROM secret
SELECT * FROM open_a; ; SELECT * FROM secret
SELECT * FROM open_a;DELETE FROM secret
SELECT 1;⏎TABLE secret
SELECT * FROM secret;
SELECT * FROM secret ;;
;SELECT * FROM secret
SELECT * FROM poolhouse_migrations
SELECT * FROM "poolhouse_migrations"
SELECT * FROM public.poolhouse_migrations
SELECT * FROM POOLHOUSE_MIGRATIONS
INSERT INTO poolhouse_migrations VALUES ('x', 1)
DELETE FROM poolhouse_migrations
UPDATE poolhouse_migrations SET number = 0
WITH t AS (SELECT * FROM poolhouse_migrations) SELECT * FROM t
TABLE poolhouse_migrations
SELECT * FROM aécret, secret
SELECT * FROM "open_a" "secret", secret "open_b"
SELECT * FROM open_a AS "FROM", secret
