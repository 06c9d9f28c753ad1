-- Trees, strings, sorting, tables, closures and coroutines: what programs in Lua do, with much garbage.

-- No address and no order of pairs() may be printed: both differ with the allocator.
local seed = 12345
local function random(below)
  seed = (seed * 1103515245 + 12345) & 0x7fffffff
  return (seed >> 8) % below
end

-- Binary trees: many small tables, most of which die young, beside a tree that lives on.
local function tree(depth)
  if depth == 0 then return {} end
  return { left = tree(depth - 1), right = tree(depth - 1) }
end
local function count(t)
  if not t.left then return 1 end
  return 1 + count(t.left) + count(t.right)
end

local function trees()
  local longLived = tree(13)
  local total = 0
  for depth = 4, 12, 2 do
    for _ = 1, 1 << (12 - depth + 1) do total = total + count(tree(depth)) end
  end
  print("trees", total, count(longLived))
end

-- Strings: words, counted; text built piece by piece, searched and replaced.
local syllables = { "ka", "lo", "mi", "ne", "pu", "ra", "so", "ti", "ve", "zu" }
local function word()
  local parts = {}
  for i = 1, 2 + random(4) do parts[i] = syllables[1 + random(#syllables)] end
  return table.concat(parts)
end

local function strings()
  local words, counts, distinct = {}, {}, 0
  for i = 1, 40000 do
    local w = word()
    words[i] = w
    if not counts[w] then distinct = distinct + 1 end
    counts[w] = (counts[w] or 0) + 1
  end
  local text = table.concat(words, " ")
  local replaced, n = text:gsub("(%a+)ka(%a*)", "<%1|%2>")
  local upper = 0
  for w in replaced:gmatch("<[^>]+>") do upper = upper + #w:upper() end
  local lines = ""
  for i = 1, 600 do lines = lines .. string.format("%05d %s\n", i, words[i]) end
  print("strings", distinct, n, upper, #lines, text:sub(1000, 1020))
end

-- Sorting objects by two keys, and a table that grows and shrinks.
local function sorting()
  local people = {}
  for i = 1, 30000 do people[i] = { name = word(), age = random(90), id = i, tags = { word(), word() } } end
  table.sort(people, function(a, b)
    if a.age ~= b.age then return a.age < b.age end
    if a.name ~= b.name then return a.name < b.name end
    return a.id < b.id
  end)
  local groups = {}
  for _, p in ipairs(people) do
    local group = groups[p.age] or {}
    groups[p.age] = group
    group[#group + 1] = p.name .. ":" .. table.concat(p.tags, ",")
  end
  local largest = 0
  for age = 0, 89 do largest = math.max(largest, #(groups[age] or {})) end
  print("sorting", people[1].name, people[#people].name, largest, groups[30][1])
end

-- Coroutines as generators, closures as objects.
local function permutations(list, n)
  if n == 0 then coroutine.yield(table.concat(list, "-")) return end
  for i = 1, n do
    list[n], list[i] = list[i], list[n]
    permutations(list, n - 1)
    list[n], list[i] = list[i], list[n]
  end
end

local function counter(step)
  local value, history = 0, {}
  return {
    add = function(x) value = value + x * step; history[#history + 1] = value; return value end,
    undo = function() value = table.remove(history) or 0; return value end,
  }
end

local function coroutines()
  local seen, last = 0, nil
  for p in coroutine.wrap(function() permutations({ 1, 2, 3, 4, 5, 6, 7, 8 }, 8) end) do
    seen = seen + 1
    last = p
  end
  local short = 0
  for i = 1, 15000 do
    local generate = coroutine.wrap(function() for k = 1, 3 do coroutine.yield({ k, i }) end end)
    short = short + generate()[1] + generate()[1]
  end
  local sum = 0
  for i = 1, 20000 do
    local c = counter(i % 7)
    for k = 1, 4 do c.add(k) end
    sum = sum + c.undo()
  end
  print("coroutines", seen, last, short, sum)
end

-- JSON, written and read by hand, with errors caught.
local function encode(value)
  if type(value) ~= "table" then
    return type(value) == "string" and string.format("%q", value) or tostring(value)
  end
  local parts = {}
  if #value > 0 then
    for i, v in ipairs(value) do parts[i] = encode(v) end
    return "[" .. table.concat(parts, ",") .. "]"
  end
  for k, v in pairs(value) do parts[#parts + 1] = encode(k) .. ":" .. encode(v) end
  table.sort(parts)
  return "{" .. table.concat(parts, ",") .. "}"
end

local function decode(text)
  local at = 1
  local value
  local function expect(pattern)
    local from, to, found = text:find("^%s*" .. pattern, at)
    if from then at = to + 1 end
    return from and (found or true)
  end
  local function list(close, item)
    local result = {}
    if expect(close) then return result end
    repeat item(result) until not expect(",")
    if not expect(close) then error("no end at " .. at, 0) end
    return result
  end
  function value()
    if expect("{") then
      return list("}", function(t) local k = value(); expect(":"); t[k] = value() end)
    end
    if expect("%[") then return list("%]", function(t) t[#t + 1] = value() end) end
    local s = expect('"([^"]*)"')
    if s then return s end
    local n = expect("(-?%d+)")
    if n then return tonumber(n) end
    error("nothing known at " .. at, 0)
  end
  return value()
end

local function json()
  local length, failures = 0, 0
  for i = 1, 300 do
    local document = { id = i, name = word(), list = {}, nested = {} }
    for k = 1, 20 do
      document.list[k] = { x = random(1000), label = word() }
      document.nested[word()] = { k, k * 2 }
    end
    local text = encode(document)
    local again = encode(decode(text))
    assert(again == text)
    length = length + #text
    if not pcall(decode, text:sub(1, -3)) then failures = failures + 1 end
  end
  print("json", length, failures)
end

local rounds = tonumber(arg and arg[1]) or 1
for _ = 1, rounds do
  trees()
  strings()
  sorting()
  coroutines()
  json()
end
