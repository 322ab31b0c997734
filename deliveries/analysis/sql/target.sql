-- name: people_on_lists
SELECT recipient_id, NULL::bigint AS line FROM recipients_listmembership WHERE list_id IN ({lists})

-- name: people_found
SELECT recipient.id AS recipient_id, NULL::bigint AS line FROM recipients_recipient recipient WHERE {condition}

-- name: people_in_file
SELECT recipient_id, id AS line FROM recipients_peoplefileline WHERE file_id = {file}

-- name: nobody
SELECT NULL::bigint AS recipient_id, NULL::bigint AS line WHERE false

-- name: once_each
-- Everybody once; somebody who stands in the file several times with the last of these lines.
SELECT recipient_id, max(line) AS line, count(*) AS times FROM ({found}) found GROUP BY recipient_id

-- name: once_a_record
-- A person once, and each line of the file once.
SELECT recipient_id, line, count(*) AS times FROM ({found}) found GROUP BY recipient_id, line

-- name: as_often_as_found
SELECT recipient_id, line, 1::bigint AS times FROM ({found}) found

-- name: judged_target
-- Everybody found, with the reason that keeps a person out: the first that applies. Joins that a switched-off
-- exclusion does not need are removed by the planner: each is on a unique key.
SELECT record.recipient_id, record.line, record.times, recipient.address,
       CASE
           WHEN coalesce(recipient.address, '') = '' THEN 'no_address'
           WHEN barred.recipient_id IS NOT NULL THEN 'barred'
           WHEN {denylisted} AND (denied.recipient_id IS NOT NULL OR held.status = 'denylisted') THEN 'denylisted'
           WHEN {quarantined} AND held.status = 'quarantine' THEN 'quarantined'
           WHEN {consent} AND agreed.recipient_id IS NULL THEN 'no_consent'
       END AS reason
  FROM ({records}) record
  JOIN recipients_recipient recipient ON recipient.id = record.recipient_id
  LEFT JOIN (SELECT DISTINCT recipient_id FROM ({barred}) each_barred) barred ON barred.recipient_id = record.recipient_id
  LEFT JOIN recipients_denylist denied ON denied.recipient_id = recipient.id
  LEFT JOIN recipients_quarantine held
         ON held.address_key = recipient.address_key AND held.status IN ('quarantine', 'denylisted')
  LEFT JOIN recipients_subscription agreed
         ON agreed.recipient_id = recipient.id AND agreed.service_id = {service} AND agreed.withdrawn_at IS NULL

-- name: drawn_target
-- The judged target, from which control group and sample are drawn by lot. A person's lot depends on the person and
-- the delivery's draw alone, so that the same people give the same result whenever this runs.
SELECT recipient_id, line, times, address,
       CASE
           WHEN reason IS NOT NULL THEN reason
           WHEN place <= {control} THEN 'control_group'
           WHEN place > {sample} THEN 'not_drawn'
       END AS reason
  FROM (
       SELECT placed.*, max(place) OVER (PARTITION BY reason IS NULL) AS people
         FROM (
              SELECT judged.*,
                     dense_rank() OVER (
                         PARTITION BY reason IS NULL ORDER BY hashint8extended(recipient_id, {draw}), recipient_id
                     ) AS place
                FROM ({judged}) judged
              ) placed
       ) sized

-- name: estimate
SELECT reason, count(*), coalesce(sum(times), 0)::bigint FROM ({target}) target GROUP BY reason

-- name: judge_one
SELECT reason FROM ({judged}) judged WHERE recipient_id = {person}

-- name: first_one
SELECT recipient_id FROM ({judged}) judged WHERE reason IS NULL ORDER BY recipient_id LIMIT 1

-- name: some
SELECT recipient_id FROM ({judged}) judged WHERE reason IS NULL ORDER BY random() LIMIT {number}
