-- name: one_at_a_time
-- Two imports that update the same people in different orders would wait for each other's rows: a deadlock.
SELECT pg_advisory_xact_lock('recipients_recipient'::regclass::oid::int, 0);

-- name: forget_staging
DROP TABLE IF EXISTS import_staging;

-- name: create_staging
CREATE TEMPORARY TABLE import_staging (
    line integer, key text, address text, first_name text, last_name text, language text, time_zone text,
    mail_format text, may_be_tracked boolean, attributes jsonb
) ON COMMIT DROP;

-- name: copy_staging
COPY import_staging FROM STDIN;

-- name: count
SELECT count(*) FROM import_staging;

-- name: repeated
-- Lines whose address stands again further down; the last one counts.
SELECT line, address, first_name, last_name, language, time_zone, mail_format,
       CASE may_be_tracked WHEN true THEN 'yes' WHEN false THEN 'no' ELSE '' END, attributes FROM (
    SELECT *, row_number() OVER (PARTITION BY key ORDER BY line DESC) AS place FROM import_staging
) numbered WHERE place > 1 ORDER BY line;

-- name: forget_repeated
DELETE FROM import_staging earlier USING (
    SELECT key, max(line) AS last FROM import_staging GROUP BY key HAVING count(*) > 1
) later WHERE earlier.key = later.key AND earlier.line < later.last;

-- name: count_existing
SELECT count(*) FROM import_staging JOIN recipients_recipient ON address_key = key;

-- name: insert_new
INSERT INTO recipients_recipient (address, address_key, first_name, last_name, language, time_zone, mail_format,
                                  may_be_tracked, attributes, consent, consent_source, created_at, updated_at)
SELECT address, key, first_name, last_name, language, time_zone, mail_format, coalesce(may_be_tracked, true), attributes,
       'unknown', '', now(), now()
  FROM import_staging
 ORDER BY line
    ON CONFLICT (address_key) DO NOTHING;

-- name: insert_or_update
-- An empty cell never erases what is known; attributes of other files stay.
INSERT INTO recipients_recipient AS known (address, address_key, first_name, last_name, language, time_zone, mail_format,
                                           may_be_tracked, attributes, consent, consent_source, created_at, updated_at)
SELECT address, key, first_name, last_name, language, time_zone, mail_format, coalesce(may_be_tracked, true), attributes,
       'unknown', '', now(), now()
  FROM import_staging
 ORDER BY line
    ON CONFLICT (address_key) DO UPDATE
   SET address = excluded.address,
       first_name = coalesce(nullif(excluded.first_name, ''), known.first_name),
       last_name = coalesce(nullif(excluded.last_name, ''), known.last_name),
       language = coalesce(nullif(excluded.language, ''), known.language),
       time_zone = coalesce(nullif(excluded.time_zone, ''), known.time_zone),
       mail_format = coalesce(nullif(excluded.mail_format, ''), known.mail_format),
       attributes = known.attributes || excluded.attributes,
       updated_at = now();

-- name: set_tracking
-- After insert_or_update, which has locked these rows: where the file says nothing, what is known stays.
UPDATE recipients_recipient known SET may_be_tracked = staged.may_be_tracked
  FROM import_staging staged
 WHERE known.address_key = staged.key AND known.may_be_tracked <> staged.may_be_tracked;

-- name: add_to_list
INSERT INTO recipients_listmembership (list_id, recipient_id, added_at)
SELECT %(list)s, recipient.id, now()
  FROM import_staging JOIN recipients_recipient recipient ON recipient.address_key = import_staging.key
    ON CONFLICT DO NOTHING;

-- name: take_import
-- Held by the session, so that it ends with the worker that holds it.
SELECT pg_try_advisory_lock('recipients_recipientimport'::regclass::oid::int, %s);

-- name: tell_octets
UPDATE recipients_recipientimport SET octets = %s WHERE id = %s;

-- name: insert_strangers
-- People of a file who are not known yet; of several lines about somebody the last one tells the names.
INSERT INTO recipients_recipient (address, address_key, first_name, last_name, language, time_zone, mail_format,
                                  may_be_tracked, attributes, consent, consent_source, created_at, updated_at)
SELECT DISTINCT ON (key)
       address, key, first_name, last_name, language, time_zone, mail_format, coalesce(may_be_tracked, true), '{}',
       'unknown', '', now(), now()
  FROM import_staging
 ORDER BY key, line DESC
    ON CONFLICT (address_key) DO NOTHING;

-- name: write_people_file
-- Each line with the recipient it is about, and its own columns. Columns that the file lacks are in %(absent)s.
INSERT INTO recipients_peoplefileline (file_id, recipient_id, values)
SELECT %(file)s, recipient.id,
       attributes_of_line || (jsonb_build_object('first_name', staged.first_name, 'last_name', staged.last_name,
                                                 'language', staged.language, 'time_zone', staged.time_zone,
                                                 'mail_format', staged.mail_format,
                                                 'may_be_tracked', CASE staged.may_be_tracked WHEN true THEN 'yes'
                                                 WHEN false THEN 'no' ELSE '' END) - %(absent)s::text[])
  FROM (SELECT *, attributes AS attributes_of_line FROM import_staging) staged
  JOIN recipients_recipient recipient ON recipient.address_key = staged.key
 ORDER BY staged.line;
