-- SPDX-License-Identifier: MIT
-- load.lua: a wrk script that sends the query mix and ends with one line of JSON.
--
--     wrk -s load.lua http://127.0.0.1:PORT -- queries.txt

local requests, at = {}, 0

function init(arguments)
    for line in io.lines(arguments[1]) do
        local method, path, body = line:match("^(%S+) (%S+) ?(.*)$")
        local headers = body ~= "" and {["Content-Type"] = "application/json"} or nil
        requests[#requests + 1] = wrk.format(method, path, headers, body ~= "" and body or nil)
    end
end

function request()
    at = at % #requests + 1
    return requests[at]
end

function done(summary, latency)
    local errors = summary.errors
    print(string.format('{"requests": %d, "duration_us": %d, "bytes": %d, "p50_us": %d, ' ..
        '"p99_us": %d, "p999_us": %d, "max_us": %d, "bad_status": %d, "broken": %d, "late": %d}',
        summary.requests, summary.duration, summary.bytes, latency:percentile(50),
        latency:percentile(99), latency:percentile(99.9), latency.max, errors.status,
        errors.connect + errors.read + errors.write, errors.timeout))
end
