-- Files an issue; the body is in the file that is named.
dofile("report.lua")

local body

function init(args)
  body = io.open(args[1]):read("*a")
  wrk.headers["Content-Type"] = "application/json"
end

function request()
  return wrk.format("POST", nil, nil, body)
end
