-- name: erase_messages
-- What servers said often repeats the address; behind ***= a pattern is taken literally.
UPDATE deliveries_message
   SET address = %(pseudonym)s, recipient_id = NULL,
       reply = regexp_replace(reply, '***=' || address, %(pseudonym)s, 'gi')
 WHERE id = ANY (%(ids)s);

-- name: erase_exclusions
UPDATE deliveries_exclusion
   SET address = %(pseudonym)s, recipient_id = 0
 WHERE recipient_id = %(recipient)s AND recipient_id <> 0
    OR address <> '' AND lower(address) IN (lower(%(address)s), %(key)s);

-- name: erase_from_journals
UPDATE deliveries_journalline
   SET sentence = regexp_replace(regexp_replace(sentence, '***=' || %(address)s, %(pseudonym)s, 'gi'),
                                 '***=' || %(key)s, %(pseudonym)s, 'gi')
 WHERE position(lower(%(address)s) IN lower(sentence)) > 0
    OR position(%(key)s IN lower(sentence)) > 0;

-- name: erase_from_audit
UPDATE deliveries_auditline
   SET sentence = regexp_replace(regexp_replace(sentence, '***=' || %(address)s, %(pseudonym)s, 'gi'),
                                 '***=' || %(key)s, %(pseudonym)s, 'gi')
 WHERE position(lower(%(address)s) IN lower(sentence)) > 0
    OR position(%(key)s IN lower(sentence)) > 0;
