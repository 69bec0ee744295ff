// What runs inside Redis, because it must be one step: to begin a log, and to apply a group of records together with the
// sender's row, so that after whatever crash the row tells exactly which records stand.

enum RedisScript {
    /// KEYS: log, senders. ARGV: epoch, sender's number, its row (empty number: none), then for each record key, expiry
    /// (seconds since 1970), field, value. Values of ids are merged with what stands (RedisLayout tells their form).
    static let apply = """
        if redis.call('HGET', KEYS[1], 'epoch') ~= ARGV[1] then return redis.error_reply('EPOCH the log was begun anew') end
        local function word(s)
          local a, b, c, d = string.byte(s, 2, 5)
          return a + b * 256 + c * 65536 + d * 16777216
        end
        local function merge(old, new)
          if #old < 5 or #new < 5 then return new end
          local o, n = word(old), word(new)
          local recipients = math.min(math.floor(o / 131072) + math.floor(n / 131072), 32767)
          local time = math.max(o % 131072, n % 131072)
          local flags, more = string.byte(old, 1), string.byte(new, 1)
          local open, count, senders = flags >= 128 or more >= 128, flags % 128, string.sub(old, 6)
          if more % 128 > 0 then
            local one, at, known = string.sub(new, 6), 1, false
            while at <= #senders and not known do
              local size = 9 + 8 * string.byte(senders, at)
              known = string.sub(senders, at, at + size - 1) == one
              at = at + size
            end
            if not known then
              if 5 + #senders + #one <= \(SentRecord.redisLimit) then senders = senders .. one; count = count + 1 else open = true end
            end
          end
          local w = time + recipients * 131072
          return string.char(count + (open and 128 or 0), w % 256, math.floor(w / 256) % 256, math.floor(w / 65536) % 256, math.floor(w / 16777216)) .. senders
        end
        for i = 4, #ARGV, 4 do
          local key, field, value = ARGV[i], ARGV[i + 2], ARGV[i + 3]
          local old = redis.call('HGET', key, field)
          if old then value = merge(old, value) end
          if old ~= value then redis.call('HSET', key, field, value) end
          if not old and redis.call('HLEN', key) == 1 then redis.call('EXPIREAT', key, ARGV[i + 1]) end
        end
        if ARGV[2] ~= '' then redis.call('HSET', KEYS[2], ARGV[2], ARGV[3]) end
        return redis.status_reply('OK')
        """

    /// KEYS: log. ARGV: version, fingerprint, bits, epoch. Begins a log unless there is one.
    static let begin = """
        if redis.call('EXISTS', KEYS[1]) == 0 then
          redis.call('HSET', KEYS[1], 'version', ARGV[1], 'fingerprint', ARGV[2], 'bits', ARGV[3], 'epoch', ARGV[4])
        end
        return redis.call('HGETALL', KEYS[1])
        """
}
