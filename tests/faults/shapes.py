"""What is in the records: bytes, lengths, times, numbers, depth, secrets, and hostile text."""
import csv, io, json, os, re, shutil, subprocess, time

from harness import fault, record


def lines_of(site, name, *lines):
    """Writes lines as they are, text or bytes, and expects those that are text."""
    for line in lines:
        if isinstance(line, str):
            site.want(line)
            line = line.encode()
        site.put(name, line + b"\n")


def only(site, sql, **more):
    rows = site.rows(sql)
    assert len(rows) == 1, f"{sql}: {rows[:3]}"
    return rows[0]


@fault("F18", fast=True)
def marks_blank_lines_and_carriage_returns(site):
    """A byte order mark, CRLF, blank lines, a NUL inside; a UTF-16 file beside it is told about."""
    lines = ['{"f":"a","seq":0}', '{"f":"a","seq":1}', '{"f":"a","seq":2,"z":"a\0b"}']
    site.put("a.log", b"\xef\xbb\xbf" + lines[0].encode() + b"\r\n\r\n\n" + lines[1].encode()
             + b"\r\n" + lines[2].encode() + b"\n")
    site.put("u16.log", "{\"a\":1}\n".encode("utf-16"))
    site.want(*lines)
    site.once()
    assert site.said().count("UTF-16") == 1, site.said()
    site.wanted.update({None: 1, "\0": 1})  # the UTF-16 line, and what is left after its end
    site.check(unparsed=True)
    assert len(site.rows("SELECT body FROM logs WHERE seq = 1")) == 1


@fault("F20", fast=True)
def text_that_is_no_utf8(site):
    """Invalid UTF-8, a lone surrogate, control marks: a row a line, the next is read."""
    for number, bad in enumerate((b'{"a":"\xff\xfe"}', b"\x85\x80\xbf", b'{"a":"\xc3"}')):
        site.put("a.log", bad + b"\n")
        lines_of(site, "a.log", record("a", number))
        site.wanted[None] += 1
    lines_of(site, "a.log", '{"b":"\\ud800"}', '{"b":"\x1b[2J\u202e"}', record("a", 9))
    site.once()
    assert len(site.rows("SELECT body FROM logs WHERE f = 'a'")) == 4
    site.check(unparsed=True)


@fault("F21", fast=True)
def one_endless_line_blinds_nobody(site):
    """Lines of 1 MiB, 16 MiB and one byte more, 40 and 300 MiB: long ones are cut and flagged."""
    site.write("b.log", 1_000, stream="b")
    whole = ["x" * ((1 << 20) + 1), "y" * (16 << 20)]
    lines_of(site, "long.log", *whole)
    cut = []
    for letter, length in (("p", (16 << 20) + 1), ("q", 40 << 20), ("r", 300 << 20)):
        with open(site.path("long.log"), "ab") as out:
            for at in range(0, length, 1 << 20):
                out.write(letter.encode() * min(1 << 20, length - at))
            out.write(b"\n")
        cut.append(letter * (64 << 10))
        site.write("long.log", 5, stream=letter)
    site.want(*cut)
    site.once()
    site.once()


@fault("F21")
def one_line_grows_without_end(site):
    """A line grows by 4 MiB ten times a second, past every limit, while another file goes on."""
    site.start()
    for turn in range(50):
        site.put("long.log", b"z" * (4 << 20))
        site.write("b.log", 20, stream="b", first=turn * 20)
        time.sleep(0.1)
    time.sleep(3)
    assert len(site.rows("SELECT body FROM logs WHERE f = 'b'")) == 1_000
    site.put("long.log", b"\n")
    site.want("z" * (64 << 10))
    site.write("long.log", 3)
    site.settle()


TIMES = ["1969-12-31T23:59:59Z", "2019-02-29T00:00:00Z", "9999-12-31T23:59:59Z", 0, 1763820000,
         1763820000123, 1763820000123456, 1763820000123456789, "2026-11-22T10:00:00+05:30",
         "yesterday", "", None, -1, 1e300, "2026-11-22 10:00:00,123", [], {}, True]


@fault("F49", fast=True)
def absurd_times(site):
    """Times of 1969 and 9999, 29 February 2019, epochs of four units, `yesterday`, none at all."""
    site.write("a.log", 200)
    lines_of(site, "a.log", *[json.dumps({"ts": each, "n": number})
                              for number, each in enumerate(TIMES)])
    lines_of(site, "a.log", '{"n":99}')
    site.once()
    found = site.rows("SELECT n, ts FROM logs WHERE n IS NOT NULL AND ts IS NOT NULL")
    at = {int(row["n"]): row["ts"] for row in found}
    for number in (4, 5, 6, 7):
        assert "2025-11-22T14:00:00" in at[number].replace(" ", "T"), at
    assert "2026-11-22T04:30:00" in at[8].replace(" ", "T"), at
    assert 1 not in at and 9 not in at, at


@fault("F49")
def three_years_in_random_order(site):
    """Records of 1,100 days, mixed: at most so many partitions, each record once."""
    for number in range(4_000):
        day = number * 7_919 % 1_100
        stamp = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(1_669_000_000 + day * 86_400))
        lines_of(site, "a.log", record("a", number, stamp=stamp))
    site.once(limit_s=300)
    days = [name for name in os.listdir(site.store) if name.startswith("date=")]
    assert len(days) <= 1_100, len(days)
    site.once()


@fault("F50", fast=True)
def one_key_of_many_types(site):
    """A key as number, text, truth, null, list, object; another key first seen in line 20,001."""
    values = [1, "1", 1.5, True, None, [1], {"a": 1}, -0.0, "", "x" * 5_000]
    for number, value in enumerate(values):
        lines_of(site, "a.log", json.dumps({"n": number, "k": value}))
    site.write("a.log", 20_000)
    lines_of(site, "a.log", '{"late":"found","f":"z"}')
    site.once()
    assert only(site, "SELECT late FROM logs WHERE late IS NOT NULL")["late"] == "found"
    got = [row["k"] for row in site.rows("SELECT n, k FROM logs WHERE n IS NOT NULL ORDER BY n")]
    assert len(got) == len(values), got
    assert got[:2] == ["1", "1"] or got[:2] == [1, "1"] or got[:2] == [1, 1], got


@fault("F52", fast=True)
def depth_without_end(site):
    """100,000 brackets, closed and not: one row each, and the next line is read."""
    deep = 100_000
    site.write("a.log", 3_000, stream="first")
    lines_of(site, "a.log", record("a", 0), "[" * deep + "]" * deep, '{"a":' * deep,
             '{"a":' * deep + "1" + "}" * deep, record("a", 1), "[" * deep, record("a", 2))
    site.once()
    assert len(site.rows("SELECT body FROM logs WHERE f = 'a'")) == 3
    site.check(unparsed=True)


@fault("F53", fast=True)
def numbers_at_the_edge(site):
    """Beyond 64 bits, 1e400, -0, NaN, 01: bodies as written, none becomes null or infinite."""
    numbers = ["18446744073709551615", "18446744073709551616", "-9223372036854775809", "1e400",
               "1e-400", "-0", "0.1", "1E5", "NaN", "01", "Infinity", "123456789012345678901.5"]
    for number, text in enumerate(numbers):
        lines_of(site, "a.log", f'{{"n":{number},"v":{text},"f":"a"}}')
    site.write("a.log", 50)
    site.once()
    attrs = "".join(row["attrs"] or "" for row in site.rows("SELECT attrs FROM logs"))
    for text in numbers:
        assert text in attrs or text in ("NaN", "01", "Infinity"), f"{text} is not in attrs"
    site.check(unparsed=True)


@fault("F54", fast=True)
def large_arrays_and_objects(site):
    """An array of a million elements and an object of 50,000 keys in one line."""
    lines_of(site, "a.log", json.dumps({"f": "a", "v": list(range(1_000_000))}),
             json.dumps({f"k{number}": number for number in range(50_000)}), record("a", 1))
    site.once()


SECRETS = ["hunter2-Xk9wQ7", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.abcDEF123456ghiJKL",
           "AKIAIOSFODNN7EXAMPLE", "4111 1111 1111 1111", "s3cr3tPw0rd", "sess-9f8e7d6c5b4a3f2e",
           "MIIEpAIBAAKCAQEA7xkQ2Zb0fY1j"]


@fault("F65", fast=True)
def secrets_reach_no_file(site):
    """Passwords, tokens, keys, cards, cookies, nested and cut in two: not in the store or report.

    Not promised, and so not asked for: a name that is itself escaped (`pass\\u0077ord`).
    """
    password, jwt, key, card, url, cookie, pem = SECRETS
    lines = [
        json.dumps({"msg": "login", "password": password, "keep": "neighbour-1"}),
        json.dumps({"msg": f"authorization: Bearer {jwt}", "keep": "neighbour-2"}),
        json.dumps({"msg": "deep", "a": {"b": [{"password": password}]}, "keep": "neighbour-3"}),
        json.dumps({"msg": json.dumps({"password": password}), "keep": "neighbour-4"}),
        json.dumps({"msg": f"key {key} used", "keep": "neighbour-5"}),
        json.dumps({"msg": f"paid with {card}", "keep": "neighbour-6"}),
        json.dumps({"msg": f"GET https://user:{url}@host/path", "keep": "neighbour-7"}),
        json.dumps({"headers": {"cookie": f"session={cookie}"}, "keep": "neighbour-8"}),
        json.dumps({"msg": f"-----BEGIN RSA PRIVATE KEY-----\n{pem}\n-----END RSA PRIVATE KEY-----",
                    "keep": "neighbour-9"}),
        f"not json password={password} neighbour-10",
    ]
    site.start()
    for line in lines:
        cut = len(line) // 2
        site.put("a.log", line[:cut].encode())
        time.sleep(0.4)
        site.put("a.log", line[cut:].encode() + b"\n")
    site.put("long.log", b"x" * (17 << 20) + f' password={password} '.encode() + b"\n")
    site.write("a.log", 20)
    time.sleep(6)
    site.stop()
    site.plimsoll_says("report", "-c", site.config, "--dir", f"{site.root}/out", "--exit-zero")
    out = site.plimsoll_says("query", "-c", site.config, "-o", "jsonl",
                             "SELECT body, attrs, message FROM logs")[0]
    for directory in (site.store, f"{site.root}/state", f"{site.root}/out"):
        for place, _, names in os.walk(directory):
            for name in names:
                with open(os.path.join(place, name), "rb") as file:
                    data = file.read()
                for secret in SECRETS:
                    assert secret.encode() not in data, f"{secret} is in {place}/{name}"
    # Parquet packs texts, so the stored text is asked for as well.
    for secret in SECRETS:
        assert secret not in out and secret not in site.said(), f"{secret} is stored"
    assert site.kept("not json password=[redacted] neighbour-10") == 1
    for number in range(1, 10):
        assert f"neighbour-{number}" in out, f"neighbour-{number} is gone"
    site.check(but=[body for body in site.bodies() if body not in site.wanted])


HOSTILE = ["\x1b]0;pwn\x07\x1b[2J\x1b]52;c;ZXZpbA==\x07", "\x9b31m8-bit", "over\rprint",
           "=cmd|' /C calc'!A0", "@SUM(1)", "-2+3", "+1", "\tcell", 'quote " and, comma',
           "two\nlines", "\u202etxt.exe", "|pipe"]


@fault("F63", fast=True)
def text_that_steers_a_terminal_or_a_spreadsheet(site):
    """Escape sequences and formulas in every field: outputs hold no control byte, values stay."""
    for number, text in enumerate(HOSTILE):
        lines_of(site, "a.log", json.dumps({"n": number, "msg": text, "level": "error", "k": text,
                                            "service": text, text: "as a key"}))
    bad_name = "e\x1b[31mvil\x07.log"
    site.put(bad_name, b"\xff\xfe")
    os.mkfifo(site.path("p\x1b[2J.log"))
    site.once()
    sql = "SELECT n, message, service, k FROM logs ORDER BY n"
    for output in ("text", "csv", "json", "jsonl"):
        out, err = site.plimsoll_says("query", "-c", site.config, "-o", output, sql)
        for text in (out, err, site.said()):
            found = re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", text.replace("\r\n", "\n"))
            assert not found, f"{output}: {found[0]!r} in the output"
    raw = site.plimsoll_says("query", "-c", site.config, "-o", "jsonl", "SELECT k FROM logs")[0]
    assert sorted(json.loads(line)["k"] for line in raw.splitlines()) == sorted(HOSTILE)
    rows = list(csv.reader(io.StringIO(site.plimsoll_says(
        "query", "-c", site.config, "-o", "csv", "SELECT n, k FROM logs ORDER BY n")[0])))
    for (_, got), text in zip(rows[1:], HOSTILE):
        assert not got or got[0] not in "=+-@\t\r|" or got[0] == "|", f"{got!r} is a formula"
        if text[0] in "=@-+":
            assert got == "'" + text, (got, text)
    for words in (["report", "-o", "text"], ["report", "-o", "md"], ["inspect"],
                  ["collect", "--status"], ["query", "nothing\x1b[2J"], ["report", "\x1b[2J.log"]):
        out, err = site.plimsoll_says(words[0], "-c", site.config, *words[1:], expect=None)
        found = re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", out + err)
        assert not found, f"{words}: {found[0]!r} in the output"
    site.check(but=[None])


QUERIES = ["SELECT * FROM read_csv('/etc/passwd')", "SELECT * FROM read_parquet('/var/**')",
           "SELECT * FROM '/etc/passwd'", "CREATE TABLE x AS SELECT 1", "DROP TABLE logs",
           "SELECT 1; SELECT 2", "COPY logs TO '/tmp/x'", "SELECT body FROM logs WHERE "
           + " OR ".join(f"seq = {number}" for number in range(9_000)),
           "SELECT " + "(" * 5_000 + "1" + ")" * 5_000, "SELECT '" + "x" * 17_000 + "'",
           "SELECT count(*) FROM logs a CROSS JOIN logs b CROSS JOIN logs c CROSS JOIN logs d "
           "CROSS JOIN logs e CROSS JOIN logs f", "SELECT body FROM logs WHERE body = '\0'",
           "DELETE FROM logs", "INSERT INTO logs VALUES (1)", "EXPLAIN ANALYZE SELECT 1",
           "SELECT * FROM logs WHERE body LIKE '" + "%a" * 3_000 + "'", "ATTACH 'x'", "", ";", "'",
           "SELECT repeat(body, 1000000000) FROM logs", "SELECT * FROM read_json('/etc/passwd')"]


@fault("F64", fast=True)
def sql_that_reads_files_or_never_ends(site):
    """Statements that write, functions that read files, 9,000 terms, 5,000 parentheses."""
    site.write("a.log", 200)
    site.once()
    for sql in QUERIES:
        trace = f"{site.root}/trace"
        opened = ["strace", "-qq", "-f", "-e", "trace=openat", "-o", trace]
        try:
            words = [*(opened if shutil.which("strace") else []), site.plimsoll, "query", "-c",
                     site.config, "-o", "csv", sql.replace("\0", "")]
            ran = subprocess.run(words, capture_output=True, timeout=30)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"more than 30 s: {sql[:60]}") from None
        assert ran.returncode in (0, 2, 3, 4), f"{ran.returncode}: {sql[:60]}: {ran.stderr[-300:]}"
        assert b"panicked" not in ran.stderr and b"root:" not in ran.stdout, sql[:60]
        if ran.returncode:
            assert ran.stderr, f"no text: {sql[:60]}"
        if os.path.exists(trace):
            with open(trace, errors="replace") as file:
                assert "/etc/passwd" not in file.read(), f"the file was read: {sql[:60]}"
    assert len(site.bodies()) == 200


@fault("F64")
def reports_are_written_where_asked_and_nowhere_else(site):
    """A directory that is a file, a name with a newline, `..`: told, or written just there."""
    site.write("a.log", 200)
    site.once()
    site.plimsoll_says("report", "-c", site.config, "--exit-zero", "--dir", site.config, expect=4)
    odd = f"{site.root}/two\nlines"
    site.plimsoll_says("report", "-c", site.config, "--exit-zero", "--dir", odd)
    assert os.path.exists(f"{odd}/report.html")
    before = open(site.config).read()
    site.plimsoll_says("report", "-c", site.config, "--exit-zero", "--dir",
                       f"{site.root}/two\nlines/../up")
    assert os.path.exists(f"{site.root}/up/report.html") and open(site.config).read() == before


# --- of the same kinds, beside the list ----------------------------------------------------


@fault()
def doubled_records_stay_doubled(site):
    """The same line a thousand times in three files is three thousand rows."""
    line = record("a", 1)
    for name in ("a.log", "b.log", "c.log"):
        site.put(name, (line + "\n").encode() * 1_000)
        site.want(*[line] * 1_000)
    site.start()
    site.settle()
    time.sleep(8)
    site.settle()
    site.stop()


@fault()
def formats_that_change_in_one_file(site):
    """JSON, logfmt, access log, CSV and plain text by turns: each line once, as it was."""
    kinds = [record("a", 1), 'time=2026-11-22T10:00:00Z level=info msg="a b" took=12ms',
             '1.2.3.4 - - [22/Nov/2026:10:00:00 +0000] "GET /x HTTP/1.1" 200 12 "-" "curl"',
             "2026-11-22 10:00:00,123 ERROR main something broke", "a,b,c,d",
             "  at frame (file.js:1:2)"]
    for turn in range(300):
        lines_of(site, "a.log", f"{kinds[turn // 25 % len(kinds)]} {turn}")
    site.once()
    site.check(unparsed=True)


@fault()
def keys_that_look_like_columns(site):
    """Records with keys `_gen`, `_off`, `date`, `body`, `source`, `flags`: only data."""
    for number in range(50):
        lines_of(site, "a.log", json.dumps({
            "_gen": "0" * 16, "_off": 0, "_len": 1, "_ord": 7, "_id": "x", "date": "1999-01-01",
            "body": "not it", "source": "other", "flags": 255, "observed_ts": 1, "n": number,
            "date=2000-01-01/../..": 1}))
    site.once()
    assert len(os.listdir(site.store)) == 3, os.listdir(site.store)


@fault()
def names_of_files_as_hostile_as_can_be(site):
    """Spaces, quotes, newlines, `%41`, `..`, 250 bytes, not UTF-8: each file is read once."""
    names = ["a b.log", "q'\"u.log", "new\nline.log", "per%41cent.log", "..hidden.log", "-rf.log",
             "x" * 245 + ".log", "[abc].log", "*.log", "{a,b}.log", "\u202e.log", "é.log"]
    for number, name in enumerate(names):
        site.write(name, 20, stream=str(number))
    raw = os.path.join(os.fsencode(site.logs), b"\xff\xfe.log")
    line = record("raw", 0)
    site.want(line)
    with open(raw, "wb") as out:
        out.write(line.encode() + b"\n")
    for _ in range(3):
        site.once()
    site.write(names[2], 5, stream="2", first=20)
    with open(raw, "ab") as out:
        out.write(record("raw", 1).encode() + b"\n")
    site.want(record("raw", 1))
    site.once()
    site.once()


@fault()
def a_glob_over_its_own_store(site):
    """`**/*` from above the store and the collector's own output: nothing runs away."""
    site.configure(["../**/*"])
    site.write("a.log", 100)
    site.start()
    time.sleep(10)
    rows = site.count()
    time.sleep(6)
    assert site.count() - rows < 200, f"{site.count() - rows} rows of its own making in 6 s"
    site.stop()
    site.check(but=[body for body in site.bodies() if body not in site.wanted])
