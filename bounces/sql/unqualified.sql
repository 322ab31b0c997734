-- name: note_texts
-- Texts that no rule knows: counted where they are known already, by the unique digest, in its order, so that two
-- workers never wait for each other crosswise.
INSERT INTO bounces_unqualifiedtext AS known
       (digest, text, sample, decided_by, type, count, first_at, last_at, state)
SELECT * FROM unnest(%(digests)s::text[], %(texts)s::text[], %(samples)s::text[], %(deciders)s::text[],
                     %(types)s::text[], %(counts)s::int[], %(times)s::timestamptz[], %(times)s::timestamptz[],
                     %(states)s::text[])
ON CONFLICT (digest) DO UPDATE
   SET count = least(known.count::bigint + excluded.count, 2147483647),
       last_at = greatest(known.last_at, excluded.last_at)
RETURNING id, digest;
