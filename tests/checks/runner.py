#!/usr/bin/python3
"""Checks that tools/test counts what it is told, above all that nothing broken is counted as passed. Prints TAP."""

import importlib.machinery
import importlib.util
import os
import pathlib
import sys
import tempfile

import tap

ROOT = pathlib.Path(__file__).resolve().parents[2]


def load(path):
    loader = importlib.machinery.SourceFileLoader("runner", str(path))
    sys.dont_write_bytecode = True
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("runner", loader))
    sys.modules["runner"] = module
    loader.exec_module(module)
    return module


runner = load(ROOT / "tools/test")

# name, what the program prints, how it ends: passed, failed, skipped
TAP_CASES = [
    ("all pass", "1..2\nok 1 - a\nok 2 - b\n", 0, (2, 0, 0)),
    ("the plan comes last", "ok 1 - a\n1..1\n", 0, (1, 0, 0)),
    ("one fails", "1..2\nok 1 - a\nnot ok 2 - b\n", 1, (1, 1, 0)),
    ("a skip has its reason", "1..2\nok 1 - a\nok 2 - b # SKIP no root\n", 0, (1, 0, 1)),
    ("a skip that is not ok is a skip", "1..1\nnot ok 1 # SKIP b\n", 0, (0, 0, 1)),
    ("all is skipped", "1..0 # SKIP no kernel support\n", 0, (0, 0, 1)),
    ("it dies after its last case", "1..1\nok 1 - a\n", -11, (1, 1, 0)),
    ("it dies half way", "1..3\nok 1 - a\n", -6, (1, 1, 0)),
    ("it prints nothing", "", 0, (0, 1, 0)),
    ("it prints no plan", "ok 1 - a\n", 0, (1, 1, 0)),
    ("it gives up", "1..2\nok 1 - a\nBail out! no disk\n", 1, (1, 1, 0)),
    ("other output between", "1..1\n# note\nokay then\nok 1 - a\n", 0, (1, 0, 0)),
]
EXAMPLE_CASES = [
    ("all examples", "306 rules, 1254 examples: 0 errors, 0 examples failed\n", 0, (1254, 0, 0)),
    ("one rule", "1 rule, 1 example: 0 errors, 0 examples failed\n", 0, (1, 0, 0)),
    ("examples that fail", "2 rules, 9 examples: 0 errors, 2 examples failed\n", 1, (7, 2, 0)),
    ("files with errors", "2 rules, 9 examples: 1 error, 0 examples failed\n", 1, (9, 1, 0)),
    ("no count", "done\n", 0, (0, 1, 0)),
    ("a count and a bad end", "2 rules, 9 examples: 0 errors, 0 examples failed\n", 1, (9, 1, 0)),
]
JUNIT = """<testsuites><testsuite>
<testcase classname="a" name="good"/>
<testcase classname="a" name="bad"><failure message="m">assert 1 == 2</failure></testcase>
<testcase classname="a" name="broken"><error message="fixture"/></testcase>
<testcase classname="a" name="not here"><skipped message="no browser"/></testcase>
</testsuite></testsuites>"""


def counts(outcome):
    return outcome.passed, len(outcome.failures), len(outcome.skips)


def check_reader(results, read, cases):
    for name, output, status, expected in cases:
        outcome = runner.Outcome("suite", "program")
        read(outcome, status, output)
        results.ok(counts(outcome) == expected, f"counting: {name}", [f"counted {counts(outcome)}, expected {expected}"])


def main():
    results = tap.Tap()
    check_reader(results, runner.read_tap, TAP_CASES)
    check_reader(results, runner.read_examples, EXAMPLE_CASES)
    outcome = runner.Outcome("e2e", "tests/e2e")
    with tempfile.TemporaryDirectory() as directory:
        report = pathlib.Path(directory) / "report.xml"
        report.write_text(JUNIT)
        runner.read_junit(outcome, report)
    results.ok(counts(outcome) == (1, 2, 1), "counting: a report of pytest")
    results.ok(outcome.skips == [("a.not here", "no browser")], "a skip of pytest has its reason")
    found = runner.find_conformance("# conformance: CEL simple 120 of 133\nother: 1 of 2\n")
    results.ok(found == ["conformance: CEL simple 120 of 133"], "conformance lines are found")
    status, output = runner.run_program(["/bin/sh", "-c", "echo here; sleep 60"], 0.5, dict(os.environ))
    results.ok("no end after" in str(status) and output == "here\n", "what does not end is ended, its output kept")
    status, _ = runner.run_program(["/nonexistent"], 1, dict(os.environ))
    results.ok(status != 0, "what cannot be started has failed")
    return results.exit_status()


if __name__ == "__main__":
    sys.exit(main())
