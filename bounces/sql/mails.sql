-- name: keep_mails
-- Mails that came back, but none twice: whoever brings the same one at this moment waits by the unique digest, in its
-- order, so that two of them never wait for each other crosswise. Given to the server in binary form: a mail written
-- into the statement takes three times as long.
INSERT INTO bounces_bouncemail
       (digest, source, envelope_to, received_at, kind, state, sentence, message_ids, findings, raw, octets)
SELECT digest, source, envelope_to, received_at, kind, state, sentence, message_ids::bigint[], findings::jsonb, raw, octets
  FROM unnest(%(digest)s::text[], %(source)s::text[], %(envelope_to)s::text[], %(received_at)s::timestamptz[],
              %(kind)s::text[], %(state)s::text[], %(sentence)s::text[], %(message_ids)s::text[], %(findings)s::text[],
              %(raw)b::bytea[], %(octets)s::int[])
       AS given (digest, source, envelope_to, received_at, kind, state, sentence, message_ids, findings, raw, octets)
ON CONFLICT (digest) DO NOTHING
RETURNING digest, id;
