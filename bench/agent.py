#!/usr/bin/python3
"""What the agent costs this machine while nothing happens, and how soon the server knows of a changed file.

usage: bench/agent.py [SECONDS]

A server and an enrolled agent of their own; the agent looks at this machine (as root) for a minute, without the first looks
and without the walk over the disks, which come once. Its processor time is that of keeper, link and all collectors and
programs that they started; its memory is the proportional set size of the processes that stay. The goals are the peers.
The change is made in a tree of its own, by a second agent.
"""

import os
import pathlib
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests/e2e"))

from conftest import make_server  # noqa: E402
from test_agent import Machine, eventually  # noqa: E402

GOAL_CPU_NS, GOAL_MEMORY_BYTES, GOAL_CHANGE_NS = 5_000_000, 15 << 20, 1_000_000_000
SETTLE_S = 5
TICK_NS = 1_000_000_000 // os.sysconf("SC_CLK_TCK")
CHANGES = 5


def line(name, value, unit, peer=None):
    """One measurement, as bench/README.md wants it."""
    ratio = f" (ratio {value / peer[1]:.3f} to {peer[0]})" if peer else ""
    print(f"bench: {name} {value} {unit}{ratio}", flush=True)


def processes(machine):
    return [machine.process.pid, machine.link()]


def processor_ns(machine):
    """Of the processes and of their children that have ended."""
    ticks = 0
    for pid in processes(machine):
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        ticks += sum(int(field) for field in fields[11:15])
    return ticks * TICK_NS


def memory_bytes(machine):
    total = 0
    for pid in processes(machine):
        for entry in pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            if entry.startswith("Pss:"):
                total += int(entry.split()[1]) * 1024
    return total


def at_rest(machine, seconds):
    machine.enroll()
    machine.root = pathlib.Path("/")
    machine.start()
    eventually(machine.facts, "facts")
    time.sleep(SETTLE_S)
    before, began = processor_ns(machine), time.monotonic()
    time.sleep(seconds)
    used, took = processor_ns(machine) - before, time.monotonic() - began
    line("agent.cpu.goal", GOAL_CPU_NS, "ns/s")
    line("agent.cpu", round(used / took), "ns/s", ("agent.cpu.goal", GOAL_CPU_NS))
    line("agent.memory.goal", GOAL_MEMORY_BYTES, "bytes")
    line("agent.memory", memory_bytes(machine), "bytes", ("agent.memory.goal", GOAL_MEMORY_BYTES))
    machine.stop()


def changes(machine):
    machine.enroll()
    machine.start()
    eventually(machine.facts, "facts")
    times = []
    for number in range(CHANGES):
        time.sleep(2)
        wanted = "no" if number % 2 == 0 else "yes"
        machine.write("etc/ssh/sshd_config", f"PermitRootLogin {wanted}\n")
        began = time.monotonic_ns()
        eventually(lambda value=wanted: machine.facts()["sshd"]["effective"]["permitrootlogin"] == value, "the change")
        times.append(time.monotonic_ns() - began)
    line("agent.change.goal", GOAL_CHANGE_NS, "ns")
    line("agent.change.median", sorted(times)[CHANGES // 2], "ns", ("agent.change.goal", GOAL_CHANGE_NS))
    line("agent.change.worst", max(times), "ns", ("agent.change.goal", GOAL_CHANGE_NS))
    machine.stop()


def main():
    seconds = int(sys.argv[1]) if len(sys.argv) > 1 else 40
    server = make_server()
    try:
        for name, work in (("rest", lambda machine: at_rest(machine, seconds)), ("change", changes)):
            with tempfile.TemporaryDirectory(dir=os.environ.get("TMPDIR", "/var/tmp")) as directory:
                os.chmod(directory, 0o755)
                machine = Machine(pathlib.Path(directory), server, "bench-" + name)
                try:
                    work(machine)
                finally:
                    if machine.process and machine.process.poll() is None:
                        machine.process.kill()
    finally:
        server.stop()


if __name__ == "__main__":
    main()
