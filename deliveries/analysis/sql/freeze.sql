-- name: forget_values
-- What an earlier analysis of this delivery wrote; one primary-key range.
DELETE FROM deliveries_messagevalues WHERE message_id BETWEEN %(first)s AND %(last)s;

-- name: forget_messages
DELETE FROM deliveries_message WHERE id BETWEEN %(first)s AND %(last)s;

-- name: forget_target
DROP TABLE IF EXISTS analysis_target;

-- name: select_target
-- The target as target.sql finds it, each person to write to with a number, in this order.
CREATE TEMPORARY TABLE analysis_target ON COMMIT DROP AS
SELECT target.*,
       CASE WHEN reason IS NULL THEN row_number() OVER (PARTITION BY reason IS NULL ORDER BY {order}) END
           AS number
  FROM ({target}) target;

-- name: with_moment
-- {{target}} with the moment of each person's time zone.
SELECT target.*, coalesce(zone.moment, {moment}) AS moment
  FROM ({target}) target
  LEFT JOIN recipients_recipient recipient ON recipient.id = target.recipient_id
  LEFT JOIN unnest({zones}::text[], {moments}::timestamptz[]) AS zone (name, moment) ON zone.name = recipient.time_zone

-- name: with_lot
-- {{target}} with a lot for each person, and how many of the lots test. As with samples, a lot depends on the person and
-- the delivery's draw alone; another hash than theirs, so that the two have nothing to do with each other.
SELECT target.*, greatest({variants}, ceil(max(lot) OVER () * {share}::numeric / 100))::bigint AS test_people
  FROM (
       SELECT target.*,
              CASE WHEN reason IS NULL
                   THEN dense_rank() OVER (
                            PARTITION BY reason IS NULL ORDER BY hashint8extended(recipient_id, {draw}), recipient_id)
               END AS lot
         FROM ({target}) target
       ) target

-- name: count_test
SELECT count(*) FILTER (WHERE lot <= test_people) FROM analysis_target WHERE reason IS NULL;

-- name: reserve_content
SELECT nextval(pg_get_serial_sequence('deliveries_content', 'id'));

-- name: count_moments
SELECT moment, count(*) FROM analysis_target WHERE reason IS NULL GROUP BY moment ORDER BY moment;

-- name: count_population
SELECT coalesce(sum(times), 0), count(*) FILTER (WHERE reason IS NULL) FROM analysis_target;

-- name: write_exclusions
-- One line for each person left out, and one for each further list a person was found on.
INSERT INTO deliveries_exclusion (delivery_id, recipient_id, address, reason)
SELECT %(delivery)s, recipient_id, coalesce(address, ''), reason FROM analysis_target WHERE reason IS NOT NULL
UNION ALL
SELECT %(delivery)s, recipient_id, coalesce(address, ''), 'duplicate'
  FROM analysis_target, generate_series(2, times);

-- name: write_messages
-- {place}: the number, moved on by the seed addresses before it. {content}: one for all, or by lot.
INSERT INTO deliveries_message (id, content_id, recipient_id, address, state, attempts)
SELECT %(first)s + {place}, {content}, recipient_id, address, %(pending)s, 0
  FROM analysis_target
 WHERE reason IS NULL
 ORDER BY number;

-- name: content_by_lot
CASE WHEN lot <= test_people THEN ({contents}::bigint[])[1 + mod(lot - 1, {variants})::int] ELSE {rest} END

-- name: write_values
-- {values} is built from the compiled content's fields: one expression a field, nothing that an author typed.
INSERT INTO deliveries_messagevalues (message_id, values)
SELECT %(first)s + {place}, jsonb_build_array({values})
  FROM analysis_target target
  JOIN recipients_recipient recipient ON recipient.id = target.recipient_id
  LEFT JOIN recipients_peoplefileline line ON line.id = target.line
 WHERE target.reason IS NULL
 ORDER BY target.number;

-- name: write_proof_messages
INSERT INTO deliveries_message (id, content_id, recipient_id, address, state, attempts)
SELECT %(first)s + number, %(content)s, NULL, address, %(pending)s, 0
  FROM deliveries_proofline
 WHERE proof_id = %(delivery)s
 ORDER BY number;

-- name: write_proof_values
-- {values} as in write_values; a message shows what its seed address says, else the data of its recipient, or nothing
-- when there is neither.
INSERT INTO deliveries_messagevalues (message_id, values)
SELECT %(first)s + proof.number, jsonb_build_array({values})
  FROM deliveries_proofline proof
  LEFT JOIN recipients_recipient recipient ON recipient.id = proof.recipient_id
  LEFT JOIN deliveries_seedaddress seed ON seed.id = proof.seed_id
  LEFT JOIN LATERAL (
       SELECT values FROM recipients_peoplefileline
        WHERE file_id = %(file)s::bigint AND recipient_id = recipient.id
        ORDER BY id DESC LIMIT 1) line ON TRUE
 WHERE proof.proof_id = %(delivery)s
 ORDER BY proof.number;

-- name: write_parts
-- Each wave, from its first number to its last, in parts of the given size.
INSERT INTO deliveries_part (delivery_id, first_id, last_id, size, wave, state, holder, sent, failed, in_doubt, losses)
SELECT %(delivery)s, %(first)s + start, %(first)s + least(start + %(size)s - 1, wave.last),
       least(%(size)s, wave.last - start + 1), wave.number, 0, '', 0, 0, 0, 0
  FROM unnest(%(starts)s::bigint[], %(ends)s::bigint[]) WITH ORDINALITY AS wave (first, last, number)
 CROSS JOIN LATERAL generate_series(wave.first, wave.last, %(size)s) AS start
 ORDER BY start;
