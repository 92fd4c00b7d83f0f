SELECT 1 #--'
 (SELECT id FROM secret LIMIT 1) --'
