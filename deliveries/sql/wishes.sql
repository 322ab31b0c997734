-- name: hold_back_person
-- By the index of a person's messages. A delivery that writes to people on the denylist (the law may ask for it) goes on
-- unless it is for the service that was left.
UPDATE deliveries_message message
   SET state = %(cancelled)s, reason = %(reason)s, reply = %(sentence)s, processed_at = %(now)s, retry_at = NULL
  FROM deliveries_delivery delivery
 WHERE message.recipient_id = %(recipient)s
   AND message.state = %(pending)s
   AND delivery.id = message.id >> 32
   AND CASE WHEN %(service)s::bigint IS NULL THEN delivery.exclude_denylisted
            ELSE delivery.consent_service_id = %(service)s::bigint END
RETURNING message.id;

-- name: hold_back_late
-- Those who withdrew are few beside a delivery; each is looked up by the index of a person's messages.
UPDATE deliveries_message message
   SET state = %(cancelled)s, reason = %(reason)s, reply = %(sentence)s, processed_at = %(now)s, retry_at = NULL
  FROM (
       SELECT recipient_id FROM recipients_denylist
        WHERE %(by_denylist)s AND created_at >= %(since)s
       UNION
       SELECT recipient_id FROM recipients_subscription
        WHERE service_id = %(service)s::bigint AND withdrawn_at >= %(since)s
       ) unwilling
 WHERE message.recipient_id = unwilling.recipient_id
   AND message.id BETWEEN %(first)s AND %(last)s
   AND message.state = %(pending)s
RETURNING message.id;
