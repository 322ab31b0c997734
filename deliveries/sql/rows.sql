-- name: published_message
-- One message of a content with everything that its mirror page needs; every step is a look at a primary key, or at
-- part_by_first. A message id is the delivery's id << 32 | number.
SELECT message.address, frozen.values,
       coalesce((SELECT part.dated_at FROM deliveries_part part WHERE part.first_id <= message.id
                  ORDER BY part.first_id DESC LIMIT 1), content.created_at),
       delivery.state, delivery.resources_until, delivery.values_purged_at
  FROM deliveries_message message
  JOIN deliveries_content content ON content.id = message.content_id
  JOIN deliveries_delivery delivery ON delivery.id = message.id >> 32
  LEFT JOIN deliveries_messagevalues frozen ON frozen.message_id = message.id
 WHERE message.id = %(message)s
   AND message.content_id = %(content)s;

-- name: failures
-- What failed, or failed and is tried again, by domain and reason, with the answer that came most often; seed addresses
-- are in no figure.
SELECT split_part(address, '@', 2) AS domain, failure_type, reason, count(*) AS number,
       count(*) FILTER (WHERE state = %(pending)s), coalesce(mode() WITHIN GROUP (ORDER BY left(reply, 500)), '')
  FROM deliveries_message
 WHERE id BETWEEN %(first)s AND %(last)s
   AND seed_id IS NULL
   AND (state = %(failed)s OR state = %(pending)s AND attempts > 0 AND reply IS NOT NULL)
 GROUP BY 1, 2, 3
 ORDER BY number DESC, 1, 2, 3
 LIMIT %(limit)s;
