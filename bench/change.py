#!/usr/bin/python3
"""From a change on a machine to the new score in the API: the agent runs, one line of sshd_config is changed, and the score is
asked for all the time until it is another. The peer is the least that it can be: the agent's waiting for a file to be written
whole (20 ms), and one request.
"""

import pathlib
import statistics
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tests/e2e"))
from conftest import make_server
from keepalive import Connection
from test_agent import Machine

CHANGES = 9
PAUSE_S = 2  # the agent spares a machine whose files change all the time
SETTLE_MS = 20
GIVE_UP_S = 60


def main():
    server = make_server()
    with tempfile.TemporaryDirectory(prefix="merlon-bench-") as directory:
        pathlib.Path(directory).chmod(0o755)
        machine = Machine(pathlib.Path(directory), server, "bench")
        try:
            done = machine.enroll()
            if done.returncode:
                sys.exit(done.stderr)
            machine.start()
            with Connection(server) as connection:
                path = f"{server.s}/providers/Microsoft.Security/assessments"

                def found():
                    """What the rule about root says of the machine; None until it is judged."""
                    for item in connection.list(path):
                        if item["properties"]["displayName"] == "SSH should not let root sign in":
                            return item["properties"]["status"]["code"]
                    return None

                def score():
                    return connection.get(f"{server.s}/providers/Microsoft.Security/secureScores/ascScore")["properties"]["score"]

                end = time.monotonic() + GIVE_UP_S
                while found() != "Unhealthy" and time.monotonic() < end:
                    time.sleep(0.1)
                time.sleep(PAUSE_S)
                waits, requests = [], []
                for turn in range(CHANGES):
                    before = score()
                    started = time.monotonic()
                    score()
                    requests.append(time.monotonic() - started)
                    machine.write("etc/ssh/sshd_config", f"PermitRootLogin {'no' if turn % 2 == 0 else 'yes'}\n")
                    started = time.monotonic()
                    while score() == before:
                        if time.monotonic() - started > GIVE_UP_S:
                            sys.exit(f"the score did not follow: {machine.log()}")
                    waits.append(time.monotonic() - started)
                    time.sleep(PAUSE_S)
            least = SETTLE_MS + statistics.median(requests) * 1e3
            print(f"bench: change-least {least * 1e6:.0f} ns")
            for name, value in (("change-to-score", statistics.median(waits)), ("change-to-score-worst", max(waits))):
                print(f"bench: {name} {value * 1e9:.0f} ns (ratio {value * 1e3 / least:.2f} to change-least)")
        finally:
            machine.stop()
            server.stop()


if __name__ == "__main__":
    main()
