-- Takes every issue of the list to one status, then to the other, so that each request changes something.
-- The first line of the file says where to go on, the others are the keys.
dofile("report.lua")

local keys, turn, targets = {}, nil, {"todo", "in_progress"}

function init(args)
  for line in io.lines(args[1]) do
    if turn then keys[#keys + 1] = line else turn = tonumber(line) end
  end
  wrk.headers["Content-Type"] = "application/json"
end

function request()
  local key, target = keys[turn % #keys + 1], targets[math.floor(turn / #keys) % 2 + 1]
  turn = turn + 1
  return wrk.format("POST", "/api/v1/issues/" .. key .. "/transitions", nil, '{"to": "' .. target .. '"}')
end
