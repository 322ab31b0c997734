-- The next turn of a message by a route and to a domain, taken in every row or in none.
-- A row is a sorted set of the last turns, so many as its rate has messages a second (at least one). The next one is a
-- second after the oldest of them, which is the limit, and never follows the newest too fast, which spreads them.
-- KEYS: how slow the domain is, set of slow domains, then pairs of rows: of the route, of the domain
-- ARGV: messages a second of the route and of the domain (0: any), longest wait, what a second lasts, share of the mean
--       time between two turns that is between any two, seconds in which a slow domain's rate doubles, rate at which it is
--       forgotten where the domain has no limit, the domain
-- Returns as text the time now and that of the turn, 1 when the route is what one waits for, and the rows it was taken in.
local time = redis.call('TIME')
local now = tonumber(time[1]) + tonumber(time[2]) / 1000000
local longest, second, pace = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
-- Without this mark Redis was emptied, and turns may just have been taken, the last of them a longest wait ahead: each
-- row begins a second after that. So it is where Redis started again, because what it brought along may be older than
-- the last turns, and where the clock was set back: no turn lies further ahead than the longest wait, and nothing has
-- happened later than now. (Who may not ask for the run is taken to be in the same one.)
local info = redis.pcall('INFO', 'server')
local run = type(info) == 'string' and string.match(info, 'run_id:(%x+)') or ''
local of = redis.call('GET', 'throttle:run') or run
local began = of == run and redis.call('GET', 'throttle:mark') or now
began = math.min(tonumber(began), now)
redis.call('SET', 'throttle:mark', string.format('%.6f', began))
redis.call('SET', 'throttle:run', run)
local rates = {tonumber(ARGV[1]), tonumber(ARGV[2])}

local slow = redis.call('HMGET', KEYS[1], 'rate', 'at')
if slow[1] then
  if tonumber(slow[2]) > now then
    slow[2] = now
    redis.call('HSET', KEYS[1], 'at', string.format('%.6f', now))
  end
  local rate = tonumber(slow[1]) * 2 ^ ((now - tonumber(slow[2])) / tonumber(ARGV[6]))
  local recovered = rates[2] > 0 and rates[2] or tonumber(ARGV[7])
  if rate >= recovered then
    redis.call('DEL', KEYS[1])
    redis.call('SREM', KEYS[2], ARGV[8])
  else
    rates[2] = rate
  end
else
  redis.call('SREM', KEYS[2], ARGV[8])
end

local rows = {}
local turn, by_route = now, 0
for number = 3, #KEYS do
  local rate = rates[number % 2 == 1 and 1 or 2]
  if rate > 0 then
    local key, length = KEYS[number], math.max(math.floor(rate), 1)
    local window = length * second / rate
    table.insert(rows, {key = key, length = length, window = window})
    local newest = redis.call('ZREVRANGE', key, 0, 0)[1]
    if newest and tonumber(newest) > now + longest + second then
      redis.call('DEL', key)
      redis.call('SET', 'throttle:mark', string.format('%.6f', now))
      newest, began = nil, now
    end
    local oldest = redis.call('ZREVRANGE', key, length - 1, length - 1)[1]
    local free = began + longest + window
    if newest then
      free = math.max(free, tonumber(newest) + pace * second / rate)
    end
    if oldest then
      free = math.max(free, tonumber(oldest) + window)
    end
    if free > turn then
      turn = free
      by_route = number % 2
    end
  end
end

local taken = {}
if turn - now <= longest then
  for _, row in ipairs(rows) do
    local name = string.format('%.6f', turn)
    table.insert(taken, row.key)
    redis.call('ZADD', row.key, name, name)
    redis.call('ZREMRANGEBYRANK', row.key, 0, -row.length - 1)
    redis.call('PEXPIRE', row.key, math.ceil((turn - now + row.window) * 1000) + 1000)
  end
end
return {string.format('%.6f', now), string.format('%.6f', turn), by_route, taken}
