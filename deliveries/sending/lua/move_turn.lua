-- A turn that was missed becomes one now. That is no more in any second than there were: each second without the turn that
-- was missed and with this one had room for it.
-- KEYS: the rows it was taken in
-- ARGV: the turn
-- Returns as text the time now, which is the turn; nothing where it is gone from a row.
for _, row in ipairs(KEYS) do
  if not redis.call('ZSCORE', row, ARGV[1]) then
    return nil
  end
end
local time = redis.call('TIME')
local micros = tonumber(time[1]) * 1000000 + tonumber(time[2])
local now
repeat
  now = string.format('%d.%06d', math.floor(micros / 1000000), micros % 1000000)
  local taken = false
  for _, row in ipairs(KEYS) do
    taken = taken or redis.call('ZSCORE', row, now)
  end
  micros = micros + 1
until not taken
for _, row in ipairs(KEYS) do
  redis.call('ZREM', row, ARGV[1])
  redis.call('ZADD', row, now, now)
end
return now
