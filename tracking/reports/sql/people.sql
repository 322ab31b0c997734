-- name: people_with_events
-- Messages of a delivery with an event, after the one that was read last. The index event_by_message has all columns
-- and their order, so that a chunk costs what it holds. Number 0 (nobody's) is left out by beginning after it.
SELECT message_id, min(at), count(*) FILTER (WHERE kind = %(open)s),
       count(*) FILTER (WHERE kind = %(click)s AND left_out.link IS NULL), count(*) FILTER (WHERE kind = %(mirror)s)
  FROM tracking_event event
  LEFT JOIN unnest(%(contents)s::bigint[], %(links)s::int[]) AS left_out (content_id, link)
         ON left_out.content_id = event.content_id AND left_out.link = event.link AND event.kind = %(click)s
 WHERE message_id > %(after)s AND message_id <= %(last)s AND origin = ANY (%(origins)s)
 GROUP BY message_id
 ORDER BY message_id
 LIMIT %(limit)s;
