#!/usr/bin/python3
"""Checks what no compiler does: how long files and functions are, that headers compile alone and have their guard, that
code and docs are plain ASCII where they need to be, and that nothing names what does not belong here. Prints TAP. Tries
itself on small trees first."""

import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys

import tap

LONGEST_FILE = 800
LONGEST_FUNCTION = 80
CODE = {".c", ".h", ".cc", ".py", ".js", ".css"}
# Written here in pieces, so that this file does not contain them.
FORBIDDEN = ["".join(pieces) for pieces in (
    ("pypi", ".org"), ("python", "hosted.org"), ("npm", "js.org"), ("npm", "js.com"), ("crates", ".io"),
    ("ruby", "gems.org"), ("proxy.", "golang.org"), ("repo.maven", ".apache.org"), ("nuget", ".org"),
    ("packagist", ".org"), ("/tmp", "/wt/"), ("/work", "/main"), ("TO", "DO:"), ("FIX", "ME"), ("X", "XX:"))]
FANCY = re.compile("[\u2010-\u2015\u2018-\u201f\u2026\u00a0\u2190-\u21ff]")
SKIPPED_DIRECTORIES = {"node_modules", "__pycache__", "var"}


def text_files(root):
    """(path, text) of each file that is or could become part of the tree."""
    for directory, names, files in os.walk(root):
        names[:] = sorted(n for n in names if not n.startswith((".git", "build")) and n not in SKIPPED_DIRECTORIES)
        for name in sorted(n for n in files if n != ".git"):
            file = pathlib.Path(directory) / name
            try:
                yield str(file.relative_to(root)), file.read_text(encoding="utf-8")
            except (UnicodeDecodeError, OSError):
                continue


def is_data(path):
    return path.startswith(("fuzz/corpus/", "content/")) or "/data/" in path


def long_functions(path, text):
    """Bodies in C begin with a brace of its own in column 0."""
    start = None
    for number, line in enumerate(text.splitlines(), 1):
        if line == "{":
            start = number
        elif line == "}" and start:
            if number - start + 1 > LONGEST_FUNCTION:
                yield f"{path}:{start}: a function of {number - start + 1} lines, at most {LONGEST_FUNCTION}"
            start = None


def check_guard(path, text):
    guard = "MLN_" + re.sub(r"[^A-Za-z0-9]", "_", path.split("/", 1)[1]).upper()
    if f"#ifndef {guard}\n#define {guard}\n" not in text:
        return [f"{path}: its guard is not {guard}"]
    return []


def check_text(root):
    """All breaches but those that take a compiler."""
    breaches = []
    for path, text in text_files(root):
        suffix = pathlib.Path(path).suffix
        breaches += [f"{path}: contains {word}" for word in FORBIDDEN if word in text]
        if is_data(path):
            continue
        if suffix in CODE and text.count("\n") > LONGEST_FILE:
            breaches.append(f"{path}: {text.count(chr(10))} lines, at most {LONGEST_FILE}")
        if suffix in {".c", ".h", ".cc"}:
            breaches += long_functions(path, text)
        if suffix == ".h" and path.startswith("src/"):
            breaches += check_guard(path, text)
        if suffix in CODE | {".md", ".sh", ".build"}:
            for number, line in enumerate(text.splitlines(), 1):
                if FANCY.search(line):
                    breaches.append(f"{path}:{number}: punctuation that is not ASCII")
    return breaches


def compile_header(root, header):
    command = [os.environ.get("CC", "cc"), "-std=gnu17", "-D_GNU_SOURCE", "-Wall", "-Werror", "-fsyntax-only", "-Isrc",
               "-include", "src/base/banned.h", "-x", "c", "-"]
    run = subprocess.run(command, cwd=root, input=f'#include "{header}"\n', capture_output=True, text=True, check=False)
    return [] if run.returncode == 0 else [f"src/{header} does not compile alone: {run.stderr.strip()[:400]}"]


def check_headers(root):
    """Each header alone, after the one that every file gets."""
    headers = sorted(str(h.relative_to(root / "src")) for h in (root / "src").rglob("*.h"))
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        return [breach for found in pool.map(lambda h: compile_header(root, h), headers) for breach in found]


SMALL_TREE = {
    "src/base/banned.h": "#ifndef MLN_BASE_BANNED_H\n#define MLN_BASE_BANNED_H\n#include <stddef.h>\n#endif\n",
    "src/base/str.h": "/* A */\n#ifndef MLN_BASE_STR_H\n#define MLN_BASE_STR_H\nsize_t n(void);\n#endif\n",
    "src/base/str.c": "size_t n(void)\n{\n" + "    ;\n" * 78 + "}\n",
    "docs/a.md": "Plain - text, \"quoted\".\n",
}
TEXT_CASES = [
    ("a good one", {}, None),
    ("a long file", {"src/base/long.c": "int a;\n" * 801}, "801 lines"),
    ("a long data file", {"content/long.py": "#\n" * 801}, None),
    ("a long function", {"src/base/str.c": "size_t n(void)\n{\n" + "    ;\n" * 79 + "}\n"}, "str.c:2: a function of 81"),
    ("a wrong guard", {"src/base/other.h": SMALL_TREE["src/base/str.h"]}, "its guard is not MLN_BASE_OTHER_H"),
    ("a registry's host", {"docs/b.md": "see " + FORBIDDEN[0]}, "contains " + FORBIDDEN[0]),
    ("a note to oneself", {"tools/x": "# " + FORBIDDEN[-3] + " later"}, "contains"),
    ("curly quotes", {"docs/b.md": "a\n\u201cquoted\u201d\n"}, "docs/b.md:2: punctuation"),
    ("letters of other languages", {"docs/b.md": "caf\u00e9\n"}, None),
]
HEADER_CASES = [
    ("headers that stand alone", {}, None),
    ("a header that leans on another", {"src/base/leans.h": "struct a { uint64_t b; };\n"}, "leans.h does not compile"),
]


def main():
    root = pathlib.Path(__file__).resolve().parents[2]
    results = tap.Tap()
    tap.try_on_trees(results, check_text, TEXT_CASES, SMALL_TREE)
    tap.try_on_trees(results, check_headers, HEADER_CASES, SMALL_TREE)
    breaches = check_text(root)
    results.ok(not breaches, "files, functions, guards, words and punctuation", breaches)
    breaches = check_headers(root)
    results.ok(not breaches, "every header compiles alone", breaches)
    return results.exit_status()


if __name__ == "__main__":
    sys.exit(main())
