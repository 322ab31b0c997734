-- name: outcomes
-- The test messages by content and state: the first messages of one range of the primary key. Seed addresses are in no
-- figure.
SELECT content_id, state, count(*)
  FROM deliveries_message
 WHERE id BETWEEN %(first)s AND %(last)s AND seed_id IS NULL
 GROUP BY content_id, state;

-- name: opt_outs
-- Those who unsubscribed by a test message and did not take it back, by its content; by the index consent_by_message.
SELECT message.content_id, count(*)
  FROM (
       SELECT DISTINCT ON (message_id) message_id, state
         FROM recipients_consentevent
        WHERE message_id BETWEEN %(first)s AND %(last)s
        ORDER BY message_id, id DESC
       ) wish
  JOIN deliveries_message message ON message.id = wish.message_id
 WHERE wish.state = %(withdrawn)s AND message.seed_id IS NULL
 GROUP BY message.content_id;
