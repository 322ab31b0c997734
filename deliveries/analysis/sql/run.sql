-- name: begin_analysis
-- Held until the end of the transaction, so that no delivery is analysed twice at a time.
SELECT pg_try_advisory_xact_lock(hashtext('analysis'), %(delivery)s);

-- name: end_analysis
-- Cancel the statement of whoever holds that lock.
SELECT pg_cancel_backend(pid)
  FROM pg_locks
 WHERE locktype = 'advisory' AND objsubid = 2 AND granted
   AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
   AND classid::bigint = (hashtext('analysis')::bigint & 4294967295)
   AND objid::bigint = %(delivery)s;
