-- Puts items of a feed, each with the next revision.
--
-- KEYS: the items, their ids by revision, the head.
--
-- ARGV: the epoch if the feed has none; for each item its id and the item as JSON.
--
-- Reply: nothing.
--
-- Atomic because a reader that sees a revision must find its item.

local items, order, head = unpack(KEYS)

demand(head, "HSETNX", head, "epoch", "")
demand(head, "HINCRBY", head, "number", 1)
demand(items, "HSET", items, "", "")
demand(order, "ZADD", order, 0, "")
for _, hash in ipairs({items, head}) do demand(hash, "HLEN", hash) end
demand(order, "ZCARD", order)
typed("HLEN", items)
typed("ZCARD", order)
typed("HLEN", head)
redis.call("HSETNX", head, "epoch", ARGV[1])
for place = 2, #ARGV, 2 do
  redis.call("HSET", items, ARGV[place], ARGV[place + 1])
  redis.call("ZADD", order, redis.call("HINCRBY", head, "number", 1), ARGV[place])
end
