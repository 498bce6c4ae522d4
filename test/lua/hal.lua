-- The HAL of the stand-in: every function asks the test, byte by byte, so that only numbers cross.
-- `peer` is the table of functions that the test exposes; `settings` is the text of storage slot 0.
local peer = peer

hal = {
  clock = { now = function() return peer.now() end },
  serial = {
    read = function(_, into, at, room)
      local count = 0
      while count < room do
        local byte = peer.receive()
        if byte < 0 then break end
        into[at + count] = byte
        count = count + 1
      end
      return count
    end,
    write = function(_, from, at, count)
      for i = 0, count - 1 do
        if peer.send(from[at + i]) == 0 then return i end
      end
      return count
    end,
    lost = function() return 0 end,
    setBaud = function() return true end,
  },
  reset = { present = true, hold = function(_, held) peer.reset(held and 1 or 0) end },
  pins = {
    configure = function() return true end,
    write = function(_, pin, high) peer.pin(pin, high and 1 or 0) end,
    read = function() return false end,
  },
  analog = { read = function(_, channel) return peer.microvolts(channel) end },
  entropy = { next = function() return peer.random() end },
  storage = {
    load = function(_, slot, into, at, room)
      if slot ~= 0 or #settings > room then return 0 end
      for i = 1, #settings do into[at + i - 1] = string.byte(settings, i) end
      return #settings
    end,
    save = function() return true end,
  },
  watchdog = { start = function() end, feed = function() end },
  idle = function(_, moment) peer.idle(moment) end,
}
