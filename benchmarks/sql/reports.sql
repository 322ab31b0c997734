-- name: make_messages
-- One of a hundred failed; the first domains have most of the people, as in life.
INSERT INTO deliveries_message (id, content_id, address, state, attempts, failure_type, reason, processed_at)
SELECT %(first)s + number, %(content)s,
       'person' || number || '@domain' || floor(%(domains)s * power(hashint8(number)::bigint %% 1000 / 1000.0, 2)) || '.example',
       CASE WHEN number %% 100 = 0 THEN 2 ELSE 1 END, 1, CASE WHEN number %% 100 = 0 THEN 'hard' END,
       CASE WHEN number %% 100 = 0 THEN 1 END, now() - number * interval '20 milliseconds'
  FROM generate_series(1, %(messages)s::bigint) AS number;

-- name: make_values
INSERT INTO deliveries_messagevalues (message_id, values)
SELECT %(first)s + number, to_jsonb(array_fill(''::text, ARRAY[%(fields)s::int]))
  FROM generate_series(1, 1000) AS number;

-- name: make_events
-- Some three events of each message that has any: two of three opens, the rest clicks, a tenth by machines, over a month.
INSERT INTO tracking_event (id, message_id, content_id, at, user_agent_id, link, kind, origin, counted)
SELECT number, %(first)s + 1 + (number * 7919) %% (%(events)s / 3), %(content)s,
       now() - (number %% 720) * interval '1 hour', %(agent)s + number %% %(agents)s,
       CASE WHEN number %% 3 = 0 THEN 1 + number %% %(links)s ELSE 0 END,
       CASE WHEN number %% 3 = 0 THEN 2 ELSE 1 END, CASE WHEN number %% 10 = 0 THEN 2 ELSE 1 END, 0
  FROM generate_series(1, %(events)s::bigint) AS number;
