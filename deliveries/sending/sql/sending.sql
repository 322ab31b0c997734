-- name: claim_part
-- The first free part of a running delivery: of those with the highest priority, the delivery of which workers took
-- the fewest messages (so that deliveries of one priority get as many, however large their parts are). One that begins
-- or goes on is counted as having had nearly as many as the others: it catches up by a head start and no more, which
-- is at least the largest part: by so much do those differ that share all the time.
-- Each lateral look is one step in the partial index part_open.
-- The delivery is locked before the part, as by whoever stops it, and looked at again when it was waited for: no part
-- of a delivery is taken that was paused or stopped meanwhile. No part: others have just taken or locked its last one.
-- What has a date was taken before: of deliveries that were looked at, such parts wait for the turns of their domains.
WITH chosen AS (
    SELECT delivery.id
      FROM deliveries_delivery delivery
      CROSS JOIN LATERAL (
           SELECT id
             FROM deliveries_part
            WHERE delivery_id = delivery.id
              AND state < %(done)s
              AND state = %(ready)s
              AND (not_before IS NULL OR not_before <= %(now)s)
              AND (dated_at IS NULL OR delivery_id <> ALL (%(looked_at)s::bigint[]))
            ORDER BY id
            LIMIT 1
           ) part
     WHERE delivery.state = %(in_progress)s
       AND (delivery.rests_until IS NULL OR delivery.rests_until <= %(now)s)
       AND (delivery.valid_until IS NULL OR delivery.valid_until > %(now)s)
       AND delivery.id <> ALL (%(without)s::bigint[])
     ORDER BY delivery.priority DESC, delivery.handed_out, delivery.id
     LIMIT 1
       FOR NO KEY UPDATE OF delivery
), free AS (
    SELECT part.id, part.without_outcome, chosen.id AS delivery_id
      FROM chosen
      CROSS JOIN LATERAL (
           SELECT id, size - sent - failed - in_doubt AS without_outcome
             FROM deliveries_part
            WHERE delivery_id = chosen.id
              AND state < %(done)s
              AND state = %(ready)s
              AND (not_before IS NULL OR not_before <= %(now)s)
              AND (dated_at IS NULL OR delivery_id <> ALL (%(looked_at)s::bigint[]))
            ORDER BY id
            LIMIT 1
              FOR UPDATE SKIP LOCKED
           ) part
), served AS (
    UPDATE deliveries_delivery delivery
       SET claimed_at = %(now)s,
           handed_out = free.without_outcome + greatest(delivery.handed_out, (
               SELECT max(other.handed_out) - greatest(%(head_start)s, max(other.part_size))
                 FROM deliveries_delivery other
                WHERE other.state = %(in_progress)s AND other.priority = delivery.priority
           ))
      FROM free
     WHERE delivery.id = free.delivery_id
), claimed AS (
    UPDATE deliveries_part part
       SET state = %(claimed)s, holder = %(holder)s, lease_until = %(lease_until)s,
           dated_at = coalesce(part.dated_at, date_trunc('second', %(now)s::timestamptz)), not_before = NULL,
           recalled = false
      FROM free
     WHERE part.id = free.id
    RETURNING part.id
)
SELECT chosen.id, claimed.id FROM chosen LEFT JOIN claimed ON true;

-- name: renew_lease
-- Prolong the lease and say whether to go on: the part is still held and nobody recalled it, its delivery runs and is
-- valid, and nothing more urgent waits.
WITH renewed AS (
    UPDATE deliveries_part SET lease_until = %(lease_until)s
     WHERE id = %(part)s AND holder = %(holder)s AND state = %(claimed)s
    RETURNING delivery_id, recalled
)
SELECT EXISTS (
       SELECT FROM renewed
         JOIN deliveries_delivery delivery ON delivery.id = renewed.delivery_id
        WHERE delivery.state = %(in_progress)s
          AND NOT renewed.recalled
          AND (delivery.valid_until IS NULL OR delivery.valid_until > %(now)s)
          AND NOT EXISTS (
              SELECT FROM deliveries_delivery urgent
                JOIN deliveries_part part ON part.delivery_id = urgent.id
               WHERE urgent.state = %(in_progress)s
                 AND urgent.priority > delivery.priority
                 AND urgent.id <> ALL (%(without)s::bigint[])
                 AND (urgent.rests_until IS NULL OR urgent.rests_until <= %(now)s)
                 AND part.state < %(done)s
                 AND part.state = %(ready)s
                 AND (part.not_before IS NULL OR part.not_before <= %(now)s)
                 AND (part.dated_at IS NULL OR urgent.id <> ALL (%(looked_at)s::bigint[]))
              )
       );

-- name: lock_messages
SELECT id FROM deliveries_message WHERE id = ANY (%(ids)s) ORDER BY id FOR NO KEY UPDATE;

-- name: record_outcomes
-- Outcomes of a batch in one statement. A message that has its outcome already keeps it, so recording twice is harmless;
-- one that was in doubt may still become known. A failure that waits for its next attempt was recorded: what a dead
-- worker's journal says of it again counts no second attempt. (Sent and in doubt are recorded whatever the clocks say.)
UPDATE deliveries_message message
   SET state = %(state)s, attempts = message.attempts + 1, failure_type = outcome.failure_type,
       reason = outcome.reason, reply = outcome.reply, processed_at = outcome.at, retry_at = outcome.retry_at
  FROM json_to_recordset(%(outcomes)s) AS outcome (
       id bigint, failure_type text, reason smallint, reply text, at timestamptz, retry_at timestamptz
       )
 WHERE message.id = outcome.id
   AND message.state = ANY (%(from)s)
   AND (NOT %(failed)s OR message.retry_at IS NULL OR message.retry_at <= outcome.at);

-- name: record_returned
-- Messages that came back, and the counters of their parts, which move by what changed: a part is not counted afresh for
-- one bounce in it. Rows are locked in the order of their keys, messages before parts, so that several who do this
-- at once never wait for each other crosswise. Gives the words of those that had failed before.
WITH held AS (
    SELECT message.id, message.state, message.reply, given.failure_type, given.reason, given.words, given.at
      FROM unnest(%(ids)s::bigint[], %(types)s::text[], %(reasons)s::smallint[], %(words)s::text[],
                  %(times)s::timestamptz[]) AS given (id, failure_type, reason, words, at)
      JOIN deliveries_message message ON message.id = given.id
     ORDER BY message.id
       FOR NO KEY UPDATE OF message
), changed AS (
    UPDATE deliveries_message message
       SET state = %(failed)s, failure_type = held.failure_type, reason = held.reason, reply = held.words,
           processed_at = held.at, retry_at = NULL
      FROM held
     WHERE message.id = held.id
       AND held.state = ANY (%(from)s)
    RETURNING message.id, held.state AS before
), moved AS (
    SELECT part.id,
           count(*) AS failed,
           count(*) FILTER (WHERE before = %(sent)s) AS sent,
           count(*) FILTER (WHERE before = %(in_doubt)s) AS in_doubt
      FROM changed
      JOIN LATERAL (
           SELECT id FROM deliveries_part WHERE first_id <= changed.id ORDER BY first_id DESC LIMIT 1
           ) part ON true
     GROUP BY part.id
), locked AS (
    SELECT id FROM deliveries_part WHERE id IN (SELECT id FROM moved) ORDER BY id FOR NO KEY UPDATE
), counted AS (
    UPDATE deliveries_part part
       SET sent = greatest(part.sent - moved.sent, 0), failed = part.failed + moved.failed,
           in_doubt = greatest(part.in_doubt - moved.in_doubt, 0)
      FROM moved
      JOIN locked ON locked.id = moved.id
     WHERE part.id = moved.id
)
SELECT id, reply FROM held WHERE state = %(failed)s AND reply IS NOT NULL;

-- name: cancel_unheld
-- The next parts of a delivery that nobody holds, closed with all their pending messages cancelled.
WITH unheld AS (
    SELECT id, first_id, last_id
      FROM deliveries_part
     WHERE delivery_id = %(delivery)s AND state = ANY (%(unheld)s)
     ORDER BY id
     LIMIT %(most)s
       FOR UPDATE
), cancelled AS (
    UPDATE deliveries_message message
       SET state = %(cancelled)s, processed_at = %(now)s, retry_at = NULL
      FROM unheld
     WHERE message.id BETWEEN unheld.first_id AND unheld.last_id AND message.state = %(pending)s
    RETURNING message.id
), closed AS (
    UPDATE deliveries_part part SET state = %(done)s FROM unheld WHERE part.id = unheld.id
    RETURNING part.id
)
SELECT (SELECT count(*) FROM closed), (SELECT count(*) FROM cancelled);

-- name: reopen_pending
-- Done parts of a delivery in which a message is pending again.
UPDATE deliveries_part part
   SET state = %(ready)s, not_before = NULL
 WHERE part.delivery_id = %(delivery)s
   AND part.state = %(done)s
   AND EXISTS (SELECT FROM deliveries_message message
                WHERE message.id BETWEEN part.first_id AND part.last_id AND message.state = %(pending)s);

-- name: lock_parts
-- Before they are counted, in a statement of its own: the count then sees whatever somebody changed who held them.
SELECT id FROM deliveries_part WHERE id = ANY (%(parts)s) ORDER BY id FOR NO KEY UPDATE;

-- name: count_parts
-- Counters of the parts that hold these messages, counted afresh from the log: at most a part's size of rows each.
UPDATE deliveries_part part
   SET sent = counted.sent, failed = counted.failed, in_doubt = counted.in_doubt
  FROM (
       SELECT touched.id,
              count(*) FILTER (WHERE message.state = %(sent)s) AS sent,
              count(*) FILTER (WHERE message.state = %(failed)s) AS failed,
              count(*) FILTER (WHERE message.state = %(in_doubt)s) AS in_doubt
         FROM deliveries_part touched
         JOIN deliveries_message message ON message.id BETWEEN touched.first_id AND touched.last_id
        WHERE touched.id = ANY (%(parts)s)
        GROUP BY touched.id
       ) counted
 WHERE part.id = counted.id;

-- name: parts_of_messages
SELECT DISTINCT part.id
  FROM unnest(%(ids)s::bigint[]) AS message (id)
  JOIN LATERAL (
       SELECT id FROM deliveries_part WHERE first_id <= message.id ORDER BY first_id DESC LIMIT 1
       ) part ON true;

-- name: parts_held_back
-- Messages that were pending are not any more: a part that somebody holds is recalled, one in which nothing else is
-- pending is done.
UPDATE deliveries_part part
   SET recalled = part.state = %(claimed)s,
       state = CASE WHEN part.state = ANY (%(open)s) THEN %(done)s ELSE part.state END
 WHERE part.id = ANY (%(parts)s)
   AND (part.state = %(claimed)s
        OR part.state = ANY (%(open)s)
           AND NOT EXISTS (SELECT FROM deliveries_message message
                            WHERE message.id BETWEEN part.first_id AND part.last_id AND message.state = %(pending)s));

-- name: note_copies
-- A copy for the archive of each message that was just accepted, in the transaction that records it: none is forgotten.
INSERT INTO deliveries_archivecopy (message_id, archive_id, state, attempts, reply, noted_at, next_attempt_at)
SELECT message.id, delivery.archive_id, 0, 0, '', %(now)s, %(now)s
  FROM deliveries_message message
  JOIN deliveries_delivery delivery ON delivery.id = message.id >> 32
 WHERE message.id = ANY (%(ids)s)
   AND message.state = %(sent)s
   AND delivery.archive_emails
   AND delivery.archive_id IS NOT NULL
ON CONFLICT (message_id) DO NOTHING;
