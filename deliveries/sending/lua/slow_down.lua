-- Halve what a domain gets.
-- KEYS: how slow the domain is, set of slow domains
-- ARGV: messages a second it got until now, the least it gets, seconds in which its rate doubles, seconds in which
--       several complaints count as one, the domain
local time = redis.call('TIME')
local now = tonumber(time[1]) + tonumber(time[2]) / 1000000
local rate = tonumber(ARGV[1])
local slow = redis.call('HMGET', KEYS[1], 'rate', 'at')
if slow[1] then
  if now - tonumber(slow[2]) < tonumber(ARGV[4]) then
    return
  end
  rate = tonumber(slow[1]) * 2 ^ ((now - tonumber(slow[2])) / tonumber(ARGV[3]))
end
rate = math.max(rate / 2, tonumber(ARGV[2]))
redis.call('HSET', KEYS[1], 'rate', string.format('%.6f', rate), 'at', string.format('%.6f', now))
-- From the floor up to any sensible limit it takes minutes.
redis.call('EXPIRE', KEYS[1], 3600)
redis.call('SADD', KEYS[2], ARGV[5])
