-- name: people_who_did
-- One range of event_by_message a delivery, which holds all that is asked; then the log by its key.
SELECT message.recipient_id
  FROM tracking_event event
  JOIN deliveries_message message ON message.id = event.message_id
 WHERE ({ranges}) AND event.origin = {person} AND event.kind IN ({kinds}) AND message.recipient_id IS NOT NULL

-- name: people_who_did_not
-- One range of the log a delivery, each message looked up in event_by_message.
SELECT message.recipient_id
  FROM deliveries_message message
 WHERE ({ranges}) AND message.state = {sent} AND message.recipient_id IS NOT NULL
   AND NOT EXISTS (
       SELECT 1 FROM tracking_event event
        WHERE event.message_id = message.id AND event.origin = {person} AND event.kind IN ({kinds}))
