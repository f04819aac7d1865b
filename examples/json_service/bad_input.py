# SPDX-License-Identifier: MIT
"""bad_input.py: requests that are wrong, and the status that each has to get."""
from service import CLOSE, request

JSON_BODY = b'["eng"]'
CHUNKED = CLOSE + b"Transfer-Encoding: chunked\r\n"
ESCAPED = ["%zz", "%4", "%", "en%00g", "%00", "eng%2"]

BAD_INPUT = {
    "unknown route": (404, request("GET", "/nothing")),
    "route with more behind": (404, request("GET", "/languages/eng/more")),
    "path with an empty segment": (404, request("GET", "/countries//subdivisions")),
    "no path": (404, request("GET", "*")),
    "climbing path": (404, request("GET", "/languages/../../etc/passwd")),
    "unknown code": (404, request("GET", "/languages/!!!")),
    "unknown country": (404, request("GET", "/countries/QQ/subdivisions")),
    "wrong method": (405, request("DELETE", "/languages")),
    "POST where GET is": (405, request("POST", "/languages", JSON_BODY)),
    "GET where POST is": (405, request("GET", "/lookup")),
    "unknown method": (405, request("BREW", "/countries")),
    "code too long": (400, request("GET", "/languages/" + "e" * 2000)),
    "text too long": (400, request("GET", "/search?q=" + "e" * 2000)),
    "text missing": (400, request("GET", "/search")),
    "text not UTF-8": (400, request("GET", "/search?q=%ff%fe")),
    "argument with bad escape": (400, request("GET", "/search?q=%e")),
    "argument with NUL": (400, request("GET", "/search?q=a%00b")),
    "limit zero": (400, request("GET", "/search?q=a&limit=0")),
    "limit too high": (400, request("GET", "/search?q=a&limit=99999999999999999999")),
    "limit negative": (400, request("GET", "/languages?limit=-1")),
    "limit no number": (400, request("GET", "/languages?limit=ten")),
    "raw NUL in path": (400, request("GET", b"/languages/eng\0zzz")),
    "raw NUL in query": (400, request("GET", b"/search?q=a\0b")),
    "raw NUL at the end": (400, request("GET", b"/countries\0")),
    "overlong URL": (414, request("GET", "/" + "a" * 100000)),
    "overlong header": (431, request("GET", "/countries", b"",
                                     CLOSE + b"X: " + b"a" * 100000 + b"\r\n")),
    "no version": (400, b"GET /countries\r\n\r\n"),
    "no host": (400, b"GET /countries HTTP/1.1\r\nConnection: close\r\n\r\n"),
    "negative length": (400, request("POST", "/lookup", b"",
                                     CLOSE + b"Content-Length: -5\r\n")),
    "huge length": (413, request("POST", "/lookup", b"",
                                 CLOSE + b"Content-Length: 99999999999999999999999\r\n")),
    "bad chunk": (400, request("POST", "/lookup", b"", CHUNKED) + b"zz\r\n\r\n"),
    "oversize body": (413, request("POST", "/lookup", b"x" * 1000000)),
    "oversize chunked body": (413, request("POST", "/lookup", b"", CHUNKED)
                              + b"8000\r\n" + b"x" * 0x8000 + b"\r\n0\r\n\r\n"),
    "oversize body on an unknown route": (404, request("POST", "/nothing", b"x" * 1000000)),
    "empty body": (400, request("POST", "/lookup", b"", CLOSE + b"Content-Length: 0\r\n")),
    "truncated JSON": (400, request("POST", "/lookup", b'["eng",')),
    "JSON that is no list": (400, request("POST", "/lookup", b'{"eng": 1}')),
    "JSON list of other things": (400, request("POST", "/lookup", b'["eng", 7, null]')),
    "JSON list too long": (400, request("POST", "/lookup", b"[" + b'"a",' * 500 + b'"a"]')),
    "JSON too deep": (400, request("POST", "/lookup", b"[" * 8000)),
    "JSON with NUL": (400, request("POST", "/lookup", b'["e\0ng"]')),
    "JSON with escaped NUL": (400, request("POST", "/lookup", b'["e\\u0000ng"]')),
    "JSON not UTF-8": (400, request("POST", "/lookup", b'["\xff"]')),
}
BAD_INPUT.update({f"path with {escape}": (400, request("GET", "/languages/" + escape))
                  for escape in ESCAPED})
