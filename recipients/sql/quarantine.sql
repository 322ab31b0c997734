-- name: make_records
-- A record for each address that has none yet; the addresses come in order, so that two workers never wait for each
-- other crosswise.
INSERT INTO recipients_quarantine
       (address_key, domain, status, errors, returned, reason, text, rule, created_at, updated_at)
SELECT address.key, left(substring(address.key from '@([^@]*)$'), 255), 'unknown', 0, false, '', '', '', %(now)s, %(now)s
  FROM unnest(%(keys)s::text[]) AS address (key)
ON CONFLICT (address_key) DO NOTHING;

-- name: write_records
-- What became of locked records, however many, in one statement by primary key.
UPDATE recipients_quarantine record
   SET status = given.status, errors = given.errors, errors_since = given.errors_since,
       last_error_at = given.last_error_at, returned = given.returned, reason = given.reason, text = given.text,
       rule = given.rule, delivery_id = given.delivery_id, updated_at = %(now)s
  FROM unnest(%(id)s::bigint[], %(status)s::text[], %(errors)s::int[], %(errors_since)s::timestamptz[],
              %(last_error_at)s::timestamptz[], %(returned)s::bool[], %(reason)s::text[], %(text)s::text[],
              %(rule)s::text[], %(delivery_id)s::bigint[])
       AS given (id, status, errors, errors_since, last_error_at, returned, reason, text, rule, delivery_id)
 WHERE record.id = given.id;
