-- name: patterns
-- Each pattern with the first message that has it, the rarest first; one range of the primary key.
SELECT ARRAY[{traits}]::text[] AS pattern, min(message_id), count(*)
  FROM deliveries_messagevalues frozen
 WHERE message_id BETWEEN {first} AND {last}
 GROUP BY pattern
 ORDER BY 3, 2
 LIMIT {most};

-- name: trait
-- What a value looks like, and how it compares with the constants beside it in the content.
CASE WHEN {text} IS NULL THEN 'none'
     WHEN {text} = '' THEN 'empty'
     WHEN jsonb_typeof({value}) IN ('array', 'object') THEN jsonb_typeof({value}) || ({text} IN ('[]', '{{}}'))::text
     WHEN jsonb_typeof({value}) = 'boolean' THEN {text}
     WHEN btrim({text}) = '' THEN 'blank'
     WHEN {text} ~ '[[:cntrl:]]' THEN 'control'
     ELSE concat_ws(
         ' ',
         CASE WHEN {text} ~ '^-?[0-9]{{1,15}}([.][0-9]{{1,9}})?$' THEN 'number'
              WHEN {text} LIKE '____-__-__%' THEN 'date'
              WHEN length({text}) > {long} THEN 'long'
              ELSE 'text' END,
         {compared})
END

-- name: compared_with_text
CASE WHEN lower(btrim({text})) = {constant} THEN {equal}
     WHEN strpos(lower({text}), {constant}) > 0 THEN {holds} END

-- name: compared_with_number
CASE WHEN {text} ~ '^-?[0-9]{{1,15}}([.][0-9]{{1,9}})?$'
     THEN {number} || sign({text}::numeric - {constant}::numeric)::text END
