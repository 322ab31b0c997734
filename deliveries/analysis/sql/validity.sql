-- name: messages_by_domain
-- One range of the primary key; asked only where domains have limits.
SELECT lower(split_part(address, '@', -1)) AS domain, count(*)
  FROM deliveries_message
 WHERE id BETWEEN %(first)s AND %(last)s AND lower(split_part(address, '@', -1)) = ANY(%(domains)s)
 GROUP BY 1
 ORDER BY 1;
