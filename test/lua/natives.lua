-- The block operations of `Native` for a plain Lua: the stand-in for the device runtime in tests that count
-- allocations. A buffer is a table { [0] = byte, …, length = n } whose slots all exist from the start, so that writing
-- one never makes it grow. Nothing here allocates but what hal/hal.ts marks @boot, and the errors.
--
-- Numbers have 64 bits here and 32 on a chip: nothing in this file wraps.

local byte, char = string.byte, string.char
local floor = math.floor

local function range(bytes, at, count)
  if at < 0 or count < 0 or at + count > bytes.length then
    error(count .. " bytes at " .. at .. " are outside a buffer of " .. bytes.length, 3)
  end
end

moth = {}

function moth.allocate(size)
  local bytes = { length = size }
  for i = 0, size - 1 do bytes[i] = 0 end
  return bytes
end

function moth.byteAt(bytes, at)
  range(bytes, at, 1)
  return bytes[at]
end

function moth.u16At(bytes, at)
  range(bytes, at, 2)
  return bytes[at] * 256 + bytes[at + 1]
end

function moth.putU16(bytes, at, value)
  range(bytes, at, 2)
  bytes[at] = value >> 8 & 255
  bytes[at + 1] = value & 255
end

function moth.copy(from, fromAt, into, intoAt, count)
  range(from, fromAt, count)
  range(into, intoAt, count)
  if from == into and fromAt < intoAt then
    for i = count - 1, 0, -1 do into[intoAt + i] = from[fromAt + i] end
  else
    for i = 0, count - 1 do into[intoAt + i] = from[fromAt + i] end
  end
end

function moth.find(bytes, at, count, value)
  range(bytes, at, count)
  for i = at, at + count - 1 do
    if bytes[i] == value then return i end
  end
  return -1
end

function moth.same(a, aAt, b, bAt, count)
  range(a, aAt, count)
  range(b, bAt, count)
  for i = 0, count - 1 do
    if a[aAt + i] ~= b[bAt + i] then return false end
  end
  return true
end

function moth.putText(bytes, at, text)
  range(bytes, at, #text)
  for i = 1, #text do bytes[at + i - 1] = byte(text, i) end
  return #text
end

function moth.textLength(text)
  return #text
end

local function holds(bytes, at, text)
  for i = 1, #text do
    if bytes[at + i - 1] ~= byte(text, i) then return false end
  end
  return true
end

function moth.isText(bytes, at, count, text)
  range(bytes, at, count)
  return count == #text and holds(bytes, at, text)
end

function moth.startsWith(bytes, at, count, text)
  if count < #text then return false end
  range(bytes, at, #text)
  return holds(bytes, at, text)
end

function moth.putDecimal(bytes, at, value)
  local negative = value < 0
  local rest = negative and -value or value
  local length = negative and 2 or 1
  local power = 10
  while rest >= power do
    length = length + 1
    power = power * 10
  end
  range(bytes, at, length)
  for i = at + length - 1, at + (negative and 1 or 0), -1 do
    bytes[i] = 48 + rest % 10
    rest = rest // 10
  end
  if negative then bytes[at] = 45 end
  return length
end

function moth.decimalAt(bytes, at, count)
  if count < 1 or count > 10 then return -1 end
  range(bytes, at, count)
  local value = 0
  for i = at, at + count - 1 do
    local digit = bytes[i] - 48
    if digit < 0 or digit > 9 then return -1 end
    value = value * 10 + digit
  end
  return value > 2147483647 and -1 or value
end

-- How many bytes follow a lead byte, and between which bounds the first of them lies: this is where overlong forms,
-- surrogates and what is beyond U+10FFFF are told apart.
local function continuation(lead)
  if lead >= 0xC2 and lead <= 0xDF then return 1, 0x80, 0xBF end
  if lead == 0xE0 then return 2, 0xA0, 0xBF end
  if lead == 0xED then return 2, 0x80, 0x9F end
  if lead >= 0xE1 and lead <= 0xEF then return 2, 0x80, 0xBF end
  if lead == 0xF0 then return 3, 0x90, 0xBF end
  if lead >= 0xF1 and lead <= 0xF3 then return 3, 0x80, 0xBF end
  if lead == 0xF4 then return 3, 0x80, 0x8F end
  return -1, 0, 0
end

function moth.isUtf8(bytes, at, count)
  range(bytes, at, count)
  local stop = at + count
  local i = at
  while i < stop do
    local lead = bytes[i]
    i = i + 1
    if lead == 0 then return false end
    if lead >= 0x80 then
      local follow, low, high = continuation(lead)
      if follow < 0 or i + follow > stop then return false end
      for _ = 1, follow do
        if bytes[i] < low or bytes[i] > high then return false end
        low, high = 0x80, 0xBF
        i = i + 1
      end
    end
  end
  return true
end

function moth.textAt(bytes, at, count)
  range(bytes, at, count)
  local text = ""
  for i = at, at + count - 1 do text = text .. char(bytes[i]) end
  return text
end

function moth.round(value)
  return value < 0 and -floor(-value + 0.5) or floor(value + 0.5)
end
