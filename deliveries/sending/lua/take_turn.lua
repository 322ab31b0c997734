-- The next turn of a message by a route and to a domain, taken in both rows or in none.
-- KEYS: row of the route, row of the domain, how slow the domain is, set of slow domains
-- ARGV: messages a second of the route and of the domain (0: any), longest wait, seconds in which a slow domain's rate
--       doubles, rate at which it is forgotten where the domain has no limit, the domain
-- Returns seconds to wait as text, and 1 when the route is what one waits for.
local time = redis.call('TIME')
local now = tonumber(time[1]) + tonumber(time[2]) / 1000000
-- Without this mark Redis was emptied, and turns may just have been taken: each row begins one step after that.
local began = tonumber(redis.call('GET', 'throttle:mark') or now)
redis.call('SET', 'throttle:mark', string.format('%.6f', began))
local rates = {tonumber(ARGV[1]), tonumber(ARGV[2])}

local slow = redis.call('HMGET', KEYS[3], 'rate', 'at')
if slow[1] then
  local rate = tonumber(slow[1]) * 2 ^ ((now - tonumber(slow[2])) / tonumber(ARGV[4]))
  local recovered = rates[2] > 0 and rates[2] or tonumber(ARGV[5])
  if rate >= recovered then
    redis.call('DEL', KEYS[3])
    redis.call('SREM', KEYS[4], ARGV[6])
  else
    rates[2] = rate
  end
else
  redis.call('SREM', KEYS[4], ARGV[6])
end

local turn, by_route = now, 0
for row = 1, 2 do
  if rates[row] > 0 then
    local free = tonumber(redis.call('GET', KEYS[row]) or began + 1 / rates[row])
    if free > turn then
      turn = free
      by_route = row == 1 and 1 or 0
    end
  end
end

local wait = turn - now
if wait <= tonumber(ARGV[3]) then
  for row = 1, 2 do
    if rates[row] > 0 then
      local next_turn = turn + 1 / rates[row]
      redis.call('SET', KEYS[row], string.format('%.6f', next_turn), 'PX', math.ceil((next_turn - now) * 1000) + 1000)
    end
  end
end
return {string.format('%.6f', wait), by_route}
