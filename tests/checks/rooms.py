#!/usr/bin/python3
"""Checks that src/ keeps to src/ROOMS: which room includes which, which outside library belongs to which room, that
meson.build links no more than that, and that it builds each test and fuzz target there is. Prints TAP. Tries itself on
small trees first."""

import pathlib
import re
import sys

import tap

# The header's path (or its directory, with a slash) and where it may be included: rooms, or one file.
OUTSIDE = {
    "cap-ng.h": ["os"],
    "curl/": ["connect"],
    "gnutls/": ["api"],
    "microhttpd.h": ["api"],
    "openssl/": ["crypto"],
    "pcre2.h": ["expr", "query"],
    "seccomp.h": ["os"],
    "simdjson.h": ["json/parse.cc"],
    "sqlite3.h": ["stores"],
    "yaml.h": ["content"],
}
CPLUSPLUS_FILES = {"json/parse.cc"}
# The C library, POSIX and Linux; free for every room.
SYSTEM_DIRECTORIES = ("arpa/", "asm/", "linux/", "net/", "netinet/", "sys/")
SYSTEM_HEADERS = set(
    """assert ctype dirent dlfcn endian errno fcntl fnmatch getopt glob grp ifaddrs inttypes langinfo limits locale malloc math
    netdb poll pthread pwd regex sched search semaphore setjmp shadow signal spawn stdalign stdarg stdatomic stdbool
    stddef stdint stdio stdlib stdnoreturn string strings syslog termios time unistd utmpx wchar wctype""".split())
CPLUSPLUS_HEADERS = {"cstdio", "cstdlib", "cstring", "new", "string_view"}

INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.MULTILINE)


def read_rooms(root):
    """({room: rooms it may include}, breaches of the list itself)."""
    rooms, breaches = {}, []
    for line in (root / "src/ROOMS").read_text().splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        room, colon, uses = line.partition(":")
        if not colon:
            breaches.append(f"src/ROOMS: not 'room: rooms': {line}")
            continue
        for used in uses.split():
            if used not in rooms:
                breaches.append(f"src/ROOMS: {room} uses {used}, which is not above it in the list")
        if room in rooms:
            breaches.append(f"src/ROOMS: {room} is listed twice")
        rooms[room] = uses.split()
    return rooms, breaches


def read_meson(root):
    """({room: rooms it links}, [programs]) of the top meson.build."""
    text = (root / "meson.build").read_text()
    table = re.search(r"^rooms = \{(.*?)^\}", text, re.MULTILINE | re.DOTALL)
    programs = re.search(r"^foreach program : \[(.*?)\]", text, re.MULTILINE | re.DOTALL)
    rooms = {}
    for room, uses in re.findall(r"'(\w+)':\s*\[(.*?)\]", table.group(1) if table else "", re.DOTALL):
        rooms[room] = re.findall(r"'(\w+)'", uses)
    return rooms, re.findall(r"'(\w+)'", programs.group(1)) if programs else []


def compare_meson(root, rooms):
    linked, programs = read_meson(root)
    breaches = []
    for room in sorted(set(rooms) | set(linked) | set(programs)):
        if room not in rooms:
            breaches.append(f"meson.build: {room} is not in src/ROOMS")
        elif room not in linked and room not in programs:
            breaches.append(f"meson.build: {room} of src/ROOMS is not built")
        elif room in linked and sorted(linked[room]) != sorted(rooms[room]):
            breaches.append(f"meson.build: {room} links {sorted(linked[room])}, src/ROOMS says {sorted(rooms[room])}")
    return breaches


def listed_in(root, room, what):
    file = root / "src" / room / "meson.build"
    lists = re.findall(rf"^{room}_{what} = \[(.*?)\]", file.read_text() if file.exists() else "", re.MULTILINE | re.DOTALL)
    return {name for names in lists for name in re.findall(r"'(\w+)'", names)}


def check_listed(root, rooms):
    """A test that no list names would never run."""
    breaches = []
    for file in sorted((root / "tests").glob("*/test_*.c")):
        room = file.parent.name
        if file.stem.removeprefix("test_") not in listed_in(root, room, "tests"):
            breaches.append(f"{file.relative_to(root)} is not among the tests of src/{room}/meson.build")
    targets = {name for room in rooms for name in listed_in(root, room, "fuzz")}
    for file in sorted((root / "fuzz").glob("*.c")):
        if file.stem != "replay" and file.stem not in targets:
            breaches.append(f"{file.relative_to(root)} is no fuzz target of any room")
        if file.stem != "replay" and not any((root / "fuzz/corpus" / file.stem).glob("*")):
            breaches.append(f"{file.relative_to(root)} has no corpus")
    return breaches


def check_outside(path, room, header):
    for prefix, places in OUTSIDE.items():
        if header == prefix or (prefix.endswith("/") and header.startswith(prefix)):
            return [] if room in places or path in places else [f"<{header}> belongs to {' and '.join(places)} only"]
    known = header.startswith(SYSTEM_DIRECTORIES) or header.removesuffix(".h") in SYSTEM_HEADERS
    if known or (path in CPLUSPLUS_FILES and header in CPLUSPLUS_HEADERS):
        return []
    return [f"<{header}> is of no library that this check knows; give it its rooms there"]


def check_inside(root, room, uses, header):
    other = header.split("/")[0]
    if "/" not in header:
        return [f'"{header}": name its room, as in "{room}/{header}"']
    if other != room and other not in uses:
        return [f'"{header}": {room} may not include {other}']
    if not (root / "src" / header).exists():
        return [f'"{header}" does not exist']
    return []


def check_file(root, path, rooms):
    room = path.split("/")[0]
    breaches = []
    for kind, header in INCLUDE.findall((root / "src" / path).read_text()):
        breaches += check_outside(path, room, header) if kind == "<" else check_inside(root, room, rooms[room], header)
    return [f"src/{path}: {breach}" for breach in breaches]


def check(root):
    """All breaches of the tree at root."""
    rooms, breaches = read_rooms(root)
    breaches += compare_meson(root, rooms) + check_listed(root, rooms)
    for file in sorted((root / "src").rglob("*")):
        path = str(file.relative_to(root / "src"))
        if not file.is_file() or "/" not in path:
            continue
        if path.split("/")[0] not in rooms:
            breaches.append(f"src/{path}: its room is not in src/ROOMS")
        elif file.suffix in (".c", ".h"):
            breaches += check_file(root, path, rooms)
        elif file.suffix in (".cc", ".cpp", ".cxx", ".hh", ".hpp"):
            if path not in CPLUSPLUS_FILES:
                breaches.append(f"src/{path}: C++ is for {', '.join(CPLUSPLUS_FILES)} only")
            breaches += check_file(root, path, rooms)
    return breaches


SMALL_TREE = {
    "src/ROOMS": "# floors\nbase:\njson: base\ncrypto: base\n\nmerlon: base json\n",
    "meson.build": "rooms = {\n  'base': [],\n  'json': ['base'],\n  'crypto': [\n    'base'],\n}\n"
                   "foreach program : ['merlon']\nendforeach\n",
    "src/base/meson.build": "base_tests = ['map',\n  'str']\nbase_fuzz = ['time']\n",
    "tests/base/test_str.c": "",
    "fuzz/time.c": "",
    "fuzz/replay.c": "",
    "fuzz/corpus/time/leap": "",
    "src/base/str.h": "#include <stdint.h>\n#include <sys/types.h>\n",
    "src/json/json.h": '#include "base/str.h"\n',
    "src/json/parse.cc": "#include <cstring>\n#include <simdjson.h>\n",
    "src/crypto/tls.c": "#include <openssl/ssl.h>\n",
    "src/merlon/main.c": '#include "json/json.h"\n',
}
CASES = [
    ("a good one", {}, None),
    ("an include from a higher floor", {"src/base/bad.c": '#include "json/json.h"\n'}, "base may not include json"),
    ("an include from a room beside it", {"src/crypto/bad.c": '  #  include "json/json.h"\n'}, "crypto may not include"),
    ("an include without its room", {"src/json/bad.c": '#include "json.h"\n'}, "name its room"),
    ("an include of nothing", {"src/json/bad.c": '#include "base/gone.h"\n'}, "does not exist"),
    ("OpenSSL outside crypto", {"src/json/bad.c": "#include <openssl/evp.h>\n"}, "belongs to crypto only"),
    ("simdjson in a second file", {"src/json/bad.c": "#include <simdjson.h>\n"}, "belongs to json/parse.cc only"),
    ("an unknown library", {"src/json/bad.c": "#include <zlib.h>\n"}, "of no library"),
    ("a C++ header in C", {"src/json/bad.c": "#include <cstring>\n"}, "of no library"),
    ("a second C++ file", {"src/base/bad.cc": "\n"}, "C++ is for"),
    ("a room that is not listed", {"src/extra/a.c": "\n"}, "not in src/ROOMS"),
    ("a list that is upside down", {"src/ROOMS": "json: base\nbase:\ncrypto: base\nmerlon: base json\n"}, "not above it"),
    ("a line without a colon", {"src/ROOMS": SMALL_TREE["src/ROOMS"] + "os\n"}, "not 'room: rooms'"),
    ("a room listed twice", {"src/ROOMS": SMALL_TREE["src/ROOMS"] + "base:\n"}, "listed twice"),
    ("meson links more", {"meson.build": SMALL_TREE["meson.build"].replace("['base'],\n  'c", "['base', 'crypto'],\n  'c")},
     "json links"),
    ("meson builds an unlisted room", {"meson.build": SMALL_TREE["meson.build"].replace("[],", "[], 'os': [],")},
     "os is not in src/ROOMS"),
    ("a test that is not built", {"tests/base/test_buf.c": ""}, "test_buf.c is not among the tests"),
    ("a test of a room without a list", {"tests/json/test_a.c": ""}, "test_a.c is not among the tests"),
    ("a fuzz target that is not built", {"fuzz/xml.c": ""}, "xml.c is no fuzz target"),
    ("a fuzz target without a corpus", {"fuzz/corpus/time/leap": None}, "time.c has no corpus"),
    ("a listed room is not built", {"src/ROOMS": SMALL_TREE["src/ROOMS"] + "agent: base\n"}, "agent of src/ROOMS is not"),
]


def main():
    results = tap.Tap()
    tap.try_on_trees(results, check, CASES, SMALL_TREE)
    breaches = check(pathlib.Path(__file__).resolve().parents[2])
    results.ok(not breaches, "src/ keeps to src/ROOMS", breaches)
    return results.exit_status()


if __name__ == "__main__":
    sys.exit(main())
