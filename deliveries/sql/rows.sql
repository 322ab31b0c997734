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
