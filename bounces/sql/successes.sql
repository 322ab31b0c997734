-- name: forget_errors_of_accepted
-- Addresses with errors that just took a message. The messages by primary key, the records by the partial index
-- quarantine_with_errors, which is empty on most days; whoever counts an error at this moment keeps the row (SKIP
-- LOCKED). A message that came back as a mail has its own rule below.
WITH proven AS (
    SELECT held.id
      FROM deliveries_message message
      JOIN recipients_quarantine held ON held.address_key = lower(message.address)
     WHERE message.id = ANY (%(ids)s)
       AND message.state = %(sent)s
       AND held.status = 'with_errors'
       AND NOT held.returned
       AND held.last_error_at < message.processed_at
       FOR UPDATE OF held SKIP LOCKED
)
UPDATE recipients_quarantine held
   SET status = 'valid', errors = 0, errors_since = NULL, returned = false, updated_at = %(now)s
  FROM proven
 WHERE held.id = proven.id;

-- name: forget_errors_of_arrived
-- The same for every address with errors: by the messages to the person who has it, each by the index on recipients.
-- Where the last error was a mail, the message must have stood for the proving days.
WITH proven AS (
    SELECT held.id
      FROM recipients_quarantine held
      JOIN recipients_recipient recipient ON recipient.address_key = held.address_key
     WHERE held.status = 'with_errors'
       AND EXISTS (
           SELECT
             FROM deliveries_message message
            WHERE message.recipient_id = recipient.id
              AND message.state = %(sent)s
              AND message.processed_at > held.last_error_at
              AND (NOT held.returned OR message.processed_at < %(proven_before)s)
           )
       FOR UPDATE OF held SKIP LOCKED
)
UPDATE recipients_quarantine held
   SET status = 'valid', errors = 0, errors_since = NULL, returned = false, updated_at = %(now)s
  FROM proven
 WHERE held.id = proven.id;
