-- Reads the items of a feed that were put after a revision.
--
-- KEYS: the items, their ids by revision, the head.
--
-- ARGV: the epoch and the number of the revision; the maximum number of items.
--
-- Reply: the epoch, the revision of the last item, the state of the feed, and the items, oldest first.
--
-- Atomic because an item may be put, and so change its revision, between two reads.

local items, order, headKey = unpack(KEYS)

local head = typed("HMGET", headKey, "epoch", "number", "state")
local from = head[1] == ARGV[1] and ARGV[2] or "0"
local ids = typed("ZRANGEBYSCORE", order, "(" .. from, "+inf", "LIMIT", 0, ARGV[3])
local number, values = from, {}
if #ids > 0 then
  number = redis.call("ZSCORE", order, ids[#ids])
  values = typed("HMGET", items, unpack(ids))
end
return {head[1], number, head[3], values}
