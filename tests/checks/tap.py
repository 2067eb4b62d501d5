"""What the checks of the tree share: TAP output, and small trees to try a check on."""

import pathlib
import sys
import tempfile


class Tap:
    """Prints one TAP line a check; exit_status() closes the plan."""

    def __init__(self):
        self.count = 0
        self.failed = 0

    def ok(self, good, name, details=()):
        self.count += 1
        self.failed += not good
        print(f"{'ok' if good else 'not ok'} {self.count} - {name}")
        for line in [] if good else details:
            print(f"# {line}")
        sys.stdout.flush()

    def exit_status(self):
        print(f"1..{self.count}")
        return 1 if self.failed else 0


def try_on_trees(tap, check, cases, base):
    """Runs check(root) -> [breach] on trees made of `base` and each case's files (None removes one). A case is (name,
    files, expected): some breach must contain `expected`; None expects no breach at all."""
    for name, files, expected in cases:
        with tempfile.TemporaryDirectory() as directory:
            root = pathlib.Path(directory)
            for path, text in {**base, **files}.items():
                if text is None:
                    continue
                (root / path).parent.mkdir(parents=True, exist_ok=True)
                (root / path).write_text(text)
            found = check(root)
        good = not found if expected is None else any(expected in breach for breach in found)
        tap.ok(good, f"on a small tree: {name}", [f"expected: {expected}", *(f"found: {f}" for f in found)])
