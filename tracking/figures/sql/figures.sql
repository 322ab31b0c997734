-- name: count_events
-- Bring the tallies along with events that are new, or judged anew. For each message that has one, what it adds to the
-- sums is worked out twice: by how its events were counted before (taken away) and by how they are judged now (added).
-- So distinct messages stay exact, whatever order events come in. Message number 0 stands for people who are not told
-- apart: it counts in no distinct figure, and only its changed events are looked at.
-- The partial index event_to_count finds what is to do; event_by_message the rest of each message's events.
WITH changed AS MATERIALIZED (
    SELECT DISTINCT message_id
      FROM (SELECT message_id FROM tracking_event WHERE NOT (counted = origin) ORDER BY id LIMIT %(limit)s) first
), seen AS MATERIALIZED (
    SELECT event.id, event.message_id, event.content_id, event.at, event.user_agent_id, event.link, event.kind,
           event.origin, event.counted
      FROM tracking_event event
      JOIN changed USING (message_id)
     WHERE (event.message_id & 4294967295) <> 0 OR NOT (event.counted = event.origin)
       FOR UPDATE OF event
), marked AS (
    UPDATE tracking_event SET counted = seen.origin
      FROM seen
     WHERE tracking_event.id = seen.id AND seen.counted <> seen.origin
    RETURNING 1
), detailed AS (
    SELECT seen.message_id, seen.message_id >> 32 AS delivery_id, (seen.message_id & 4294967295) <> 0 AS is_known,
           seen.kind, seen.origin, seen.counted,
           left_out.link IS NOT NULL AS is_left_out,
           lower(split_part(message.address, '@', 2)) AS domain, seen.content_id::text AS content,
           CASE WHEN seen.kind = %(click)s THEN seen.content_id || ':' || seen.link END AS link,
           to_char(seen.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24') AS hour,
           agent.device, agent.browser, agent.system
      FROM seen
      LEFT JOIN deliveries_message message ON message.id = seen.message_id
      LEFT JOIN tracking_useragent agent ON agent.id = seen.user_agent_id
      LEFT JOIN unnest(%(left_out_contents)s::bigint[], %(left_out_links)s::int[]) AS left_out (content_id, link)
             ON left_out.content_id = seen.content_id AND left_out.link = seen.link AND seen.kind = %(click)s
), signed AS (
    SELECT detailed.*, origin AS by, 1 AS sign FROM detailed
    UNION ALL
    SELECT detailed.*, counted AS by, -1 AS sign FROM detailed WHERE counted <> 0
), of_message AS (
    SELECT delivery_id, slot.dimension, slot.key, is_known, sign,
           count(*) FILTER (WHERE kind = %(open)s AND by = %(person)s) AS opens,
           count(*) FILTER (WHERE is_click AND by = %(person)s) AS clicks,
           count(*) FILTER (WHERE kind = %(mirror)s AND by = %(person)s) AS mirror_views,
           coalesce(bool_or(by = %(person)s), false)::int AS opened,
           coalesce(bool_or(is_click AND by = %(person)s), false)::int AS clicked,
           coalesce(bool_or(kind = %(mirror)s AND by = %(person)s), false)::int AS viewed,
           count(*) FILTER (WHERE kind = %(open)s AND is_counted) AS all_opens,
           count(*) FILTER (WHERE is_click AND is_counted) AS all_clicks,
           count(*) FILTER (WHERE kind = %(mirror)s AND is_counted) AS all_mirror_views,
           coalesce(bool_or(is_counted), false)::int AS all_opened,
           coalesce(bool_or(is_click AND is_counted), false)::int AS all_clicked,
           coalesce(bool_or(kind = %(mirror)s AND is_counted), false)::int AS all_viewed,
           count(*) FILTER (WHERE by = %(archive)s) AS archive,
           count(*) FILTER (WHERE by = %(trial)s) AS trial
      FROM signed
      CROSS JOIN LATERAL (
           VALUES (%(by_total)s, ''), (%(by_domain)s, domain), (%(by_link)s, link), (%(by_hour)s, hour),
                  (%(by_device)s, device), (%(by_browser)s, browser), (%(by_system)s, system),
                  (%(by_variant)s, content)
           ) AS slot (dimension, key)
      CROSS JOIN LATERAL (
           SELECT by IN (%(person)s, %(machine)s) AS is_counted,
                  kind = %(click)s AND (NOT is_left_out OR slot.dimension = %(by_link)s) AS is_click
           ) AS judged
     WHERE slot.key IS NOT NULL
     GROUP BY message_id, delivery_id, slot.dimension, slot.key, is_known, sign
), change AS (
    SELECT delivery_id, dimension, key,
           sum(sign * opens) AS opens, sum(sign * clicks) AS clicks, sum(sign * mirror_views) AS mirror_views,
           coalesce(sum(sign * opened) FILTER (WHERE is_known), 0) AS opened,
           coalesce(sum(sign * clicked) FILTER (WHERE is_known), 0) AS clicked,
           coalesce(sum(sign * viewed) FILTER (WHERE is_known), 0) AS viewed,
           sum(sign * all_opens) AS all_opens, sum(sign * all_clicks) AS all_clicks,
           sum(sign * all_mirror_views) AS all_mirror_views,
           coalesce(sum(sign * all_opened) FILTER (WHERE is_known), 0) AS all_opened,
           coalesce(sum(sign * all_clicked) FILTER (WHERE is_known), 0) AS all_clicked,
           coalesce(sum(sign * all_viewed) FILTER (WHERE is_known), 0) AS all_viewed,
           sum(sign * archive) AS archive, sum(sign * trial) AS trial
      FROM of_message
     GROUP BY delivery_id, dimension, key
), written AS (
    INSERT INTO tracking_eventtally AS tally
           (delivery_id, dimension, key, opens, clicks, mirror_views, opened, clicked, viewed, all_opens, all_clicks,
            all_mirror_views, all_opened, all_clicked, all_viewed, archive, trial)
    SELECT delivery_id, dimension, key, opens, clicks, mirror_views, opened, clicked, viewed, all_opens, all_clicks,
           all_mirror_views, all_opened, all_clicked, all_viewed, archive, trial
      FROM change
    ON CONFLICT (delivery_id, dimension, key) DO UPDATE
       SET opens = tally.opens + excluded.opens, clicks = tally.clicks + excluded.clicks,
           mirror_views = tally.mirror_views + excluded.mirror_views, opened = tally.opened + excluded.opened,
           clicked = tally.clicked + excluded.clicked, viewed = tally.viewed + excluded.viewed,
           all_opens = tally.all_opens + excluded.all_opens, all_clicks = tally.all_clicks + excluded.all_clicks,
           all_mirror_views = tally.all_mirror_views + excluded.all_mirror_views,
           all_opened = tally.all_opened + excluded.all_opened, all_clicked = tally.all_clicked + excluded.all_clicked,
           all_viewed = tally.all_viewed + excluded.all_viewed, archive = tally.archive + excluded.archive,
           trial = tally.trial + excluded.trial
)
SELECT count(*) FROM marked;

-- name: contents_to_count
-- The contents of the events that count_events takes next.
SELECT DISTINCT event.content_id
  FROM tracking_event event
  JOIN (SELECT DISTINCT message_id
          FROM (SELECT message_id FROM tracking_event WHERE NOT (counted = origin) ORDER BY id LIMIT %(limit)s) first
       ) changed USING (message_id);

-- name: count_log
-- One pass over a delivery's range of the primary key, added up by domain and by hour. Beyond the largest %(domains)s
-- domains the rest stands under none. Seed addresses are in no figure.
WITH added AS MATERIALIZED (
    SELECT lower(split_part(address, '@', 2)) AS domain, date_trunc('hour', processed_at) AS hour, state,
           coalesce(failure_type, '') AS failure_type, coalesce(reason, 0) AS reason,
           grouping(date_trunc('hour', processed_at)) = 0 AS is_by_hour, count(*) AS number
      FROM deliveries_message
     WHERE id BETWEEN %(first)s AND %(last)s AND seed_id IS NULL
     GROUP BY GROUPING SETS (
           (lower(split_part(address, '@', 2)), state, failure_type, reason), (date_trunc('hour', processed_at), state)
           )
), largest AS (
    SELECT domain FROM added WHERE NOT is_by_hour GROUP BY domain ORDER BY sum(number) DESC, domain LIMIT %(domains)s
)
INSERT INTO tracking_logtally (delivery_id, domain, hour, state, failure_type, reason, count)
SELECT %(delivery)s, coalesce(largest.domain, ''), NULL, state, failure_type, reason, sum(number)
  FROM added LEFT JOIN largest USING (domain)
 WHERE NOT is_by_hour
 GROUP BY 2, state, failure_type, reason
UNION ALL
SELECT %(delivery)s, '', hour, state, '', 0, number FROM added WHERE is_by_hour AND hour IS NOT NULL;

-- name: stamps
-- What the parts of these deliveries count; it changes with every outcome that is recorded.
SELECT delivery_id, concat_ws('/', sum(sent), sum(failed), sum(in_doubt), count(*))
  FROM deliveries_part
 WHERE delivery_id = ANY (%(deliveries)s)
 GROUP BY delivery_id;

-- name: text_messages
-- Messages whose recipients prefer text: their value of the field stands at this place.
SELECT count(*) FROM deliveries_messagevalues
 WHERE message_id BETWEEN %(first)s AND %(last)s AND values ->> %(place)s::int = 'text';
