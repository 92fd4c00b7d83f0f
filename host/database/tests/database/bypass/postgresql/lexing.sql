# Comments, strings, dollar quotes and operators that another lexer could cut otherwise. ⏎ is a line's end.
SELECT * FROM /* open_a */ secret
SELECT * FROM /* /* nested */ open_a */ secret
SELECT * FROM open_a /* /* */ , secret -- */
SELECT * FROM open_a /* /* */ */ , secret
SELECT * FROM open_a -- ⏎, secret
SELECT * FROM open_a --/*⏎, secret --*/
SELECT * FROM open_a /*--*/, secret
SELECT * FROM open_a /*'*/, secret /*'*/
SELECT * FROM open_a /*"*/, secret /*"*/
SELECT * FROM open_a --'⏎, secret --'
SELECT * FROM open_a --"⏎, secret --"
SELECT * FROM open_a --$$⏎, secret --$$
SELECT '/*' FROM secret --*/
SELECT '--' FROM secret
SELECT '''' FROM secret --'
SELECT 'a''' FROM secret --'
SELECT '\' FROM secret --'
SELECT '\\' FROM secret
SELECT E'\'' FROM secret --'
SELECT E'\\' FROM secret --'
SELECT E'\\\' FROM open_a --' FROM secret
SELECT e'\'' FROM secret --'
SELECT E'a\'⏎, s FROM secret --'
SELECT N'a' FROM secret
SELECT B'01' FROM secret
SELECT X'1F' FROM secret
SELECT U&'\0061' FROM secret
SELECT U&'d!0061' UESCAPE '!' FROM secret
SELECT U&'\' FROM secret --'
SELECT $$'$$ FROM secret --'
SELECT $a$ $$ $a$ FROM secret --$$
SELECT $a$ $b$ $a$ FROM secret --$b$
SELECT $a$$b$ FROM open_a $b$ $a$ FROM secret
SELECT a$$ FROM secret --$$
SELECT id$$ FROM open_a, secret --$$
SELECT 1$$ FROM secret --$$
SELECT $1$$ FROM secret --$$
SELECT $é$ ' $é$ FROM secret --'
SELECT $A$ $a$ $A$ FROM secret --$a$
SELECT "a'" FROM (SELECT 1 AS "a'") t, secret --'
SELECT "a""" FROM (SELECT 1 AS "a""") t, secret --"
SELECT 1 +/* 2 --*/ (SELECT id FROM secret LIMIT 1)
SELECT 1 <--x⏎ (SELECT id FROM secret LIMIT 1)
SELECT 1 #--'⏎ (SELECT id FROM secret LIMIT 1) --'
SELECT 1 @--'⏎ (SELECT id FROM secret LIMIT 1) --'
SELECT 1 ~--'⏎ (SELECT id FROM secret LIMIT 1) --'
SELECT 1 !--'⏎ (SELECT id FROM secret LIMIT 1) --'
SELECT 1 %--'⏎ (SELECT id FROM secret LIMIT 1) --'
SELECT 1 ^--'⏎ (SELECT id FROM secret LIMIT 1) --'
SELECT 1 &--'⏎ (SELECT id FROM secret LIMIT 1) --'
SELECT 1 |--'⏎ (SELECT id FROM secret LIMIT 1) --'
SELECT 1 ?--'⏎ (SELECT id FROM secret LIMIT 1) --'
SELECT 1 *--'⏎ (SELECT id FROM secret LIMIT 1) --'
SELECT 1 /--'⏎ (SELECT id FROM secret LIMIT 1) --'
SELECT 1 =--'⏎ (SELECT id FROM secret LIMIT 1) --'
SELECT 1 >--'⏎ (SELECT id FROM secret LIMIT 1) --'
SELECT 1 ---'⏎ (SELECT id FROM secret LIMIT 1) --'
SELECT 1 +--'⏎ (SELECT id FROM secret LIMIT 1) --'
SELECT doc ->--'⏎ (SELECT s FROM secret LIMIT 1) --'⏎ FROM open_a
SELECT doc ->>--'⏎ (SELECT s FROM secret LIMIT 1) --'⏎ FROM open_a
SELECT doc #>--'⏎ ARRAY(SELECT s FROM secret) --'⏎ FROM open_a
SELECT doc @>--'⏎ (SELECT s::jsonb FROM secret LIMIT 1) --'⏎ FROM open_a
SELECT doc ?--'⏎ (SELECT s FROM secret LIMIT 1) --'⏎ FROM open_a
SELECT x ||--'⏎ (SELECT s FROM secret LIMIT 1) --'⏎ FROM open_a
SELECT x ~~--'⏎ (SELECT s FROM secret LIMIT 1) --'⏎ FROM open_a
SELECT 1 #/*'*/ (SELECT id FROM secret LIMIT 1) /*'*/
SELECT 1 @/*'*/ (SELECT id FROM secret LIMIT 1) /*'*/
SELECT 1 |/*'*/ (SELECT id FROM secret LIMIT 1) /*'*/
SELECT 1 &/*'*/ (SELECT id FROM secret LIMIT 1) /*'*/
SELECT 1 ~/*'*/ (SELECT id FROM secret LIMIT 1) /*'*/
SELECT 1 */*'*/ (SELECT id FROM secret LIMIT 1) /*'*/
SELECT 1 //*'*/ (SELECT id FROM secret LIMIT 1) /*'*/
SELECT 1::/*'*/int, (SELECT id FROM secret LIMIT 1) /*'*/
SELECT 'a' -- FROM open_a⏎FROM secret
SELECT/**/*/**/FROM/**/secret
SELECT * FROM open_a WHERE x = '/*' OR EXISTS (SELECT FROM secret) OR x = '*/'
SELECT * FROM open_a WHERE x = '--' OR EXISTS (SELECT FROM secret)
SELECT * FROM open_a WHERE x = $q$'$q$ OR EXISTS (SELECT FROM secret) OR x = $q$'$q$
