-- GET of one issue after the other; the keys are in the file that is named, one a line.
dofile("report.lua")

local keys, turn = {}, 0

function init(args)
  for line in io.lines(args[1]) do keys[#keys + 1] = line end
end

function request()
  turn = turn + 1
  return wrk.format("GET", "/api/v1/issues/" .. keys[turn % #keys + 1])
end
