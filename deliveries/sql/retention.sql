-- name: delete_copies
DELETE FROM deliveries_archivecopy
 WHERE message_id IN (SELECT message_id FROM deliveries_archivecopy
                       WHERE message_id BETWEEN %(first)s AND %(last)s ORDER BY message_id LIMIT %(most)s);

-- name: delete_exclusions
DELETE FROM deliveries_exclusion
 WHERE id IN (SELECT id FROM deliveries_exclusion WHERE delivery_id = %(delivery)s LIMIT %(most)s);

-- name: delete_messages
-- Those to seed addresses stay.
DELETE FROM deliveries_message
 WHERE id IN (SELECT id FROM deliveries_message
               WHERE id BETWEEN %(first)s AND %(last)s AND seed_id IS NULL ORDER BY id LIMIT %(most)s);
