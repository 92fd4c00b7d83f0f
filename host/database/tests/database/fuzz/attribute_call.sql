SELECT x.ts_stat FROM unnest(ARRAY['SELECT to_tsvector(s) FROM secret']) AS x
