"""What was acknowledged stays: through kills at random moments, an end by SIGTERM under load, and a full disk.

Writers put small resources of a made-up type over connections that they keep open, and one of them changes machines, so that
scores move. A write that got no answer is sent again, like a client of ARM does, until it is acknowledged.
"""

import os
import pathlib
import random
import subprocess
import threading
import time

import pytest

from conftest import Server, make_server
from keepalive import LOST, Connection, wait_until
from machines import GOOD_SSHD, MACHINES, facts, listener, machine, machine_id, put_machines

RESOURCES = 10_000
WRITERS = 4
KILLS = 6
SEED = 20261124
RACKS = "providers/Contoso.Racks/racks"
SECURITY = "providers/Microsoft.Security"


def rack(number):
    return {"location": "local", "properties": {"number": number, "label": f"row {number % 97}, place {number // 97}"}}


class Load:
    """Threads that write, and what the server acknowledged."""

    def __init__(self, server, total):
        self.server, self.total = server, total
        self.token = server.token()  # one for the whole test: it must outlive every restart
        self.lock = threading.Lock()
        self.next, self.acknowledged, self.machines, self.problems = 0, set(), {}, []
        self.over = threading.Event()
        self.threads = [threading.Thread(target=self.guard, args=(self.write_racks,)) for _ in range(WRITERS)]
        self.threads.append(threading.Thread(target=self.guard, args=(self.write_machines,)))

    def guard(self, body):
        try:
            body()
        except BaseException as problem:  # seen by the test, which runs in another thread
            self.problems.append(problem)

    def send(self, connection, path, document):
        """Puts it until the server says that it has it; gives the connection to go on with, None at the end."""
        while not self.over.is_set():
            try:
                connection = connection or Connection(self.server, self.token)
                status, answer = connection.arm("PUT", path, document)
            except LOST:
                connection = None
                time.sleep(0.01)
                continue
            if status == 503:  # it is about to end, and takes nothing more
                time.sleep(0.01)
                continue
            assert status in (200, 201), (status, answer)
            return connection
        return None

    def write_racks(self):
        connection = None
        while True:
            with self.lock:
                number, self.next = self.next, self.next + 1
            if number >= self.total:
                return
            connection = self.send(connection, f"{self.server.g}/{RACKS}/r{number}", rack(number))
            if not connection:
                return
            self.acknowledged.add(number)

    def write_machines(self):
        chance, connection = random.Random(SEED), None
        while any(thread.is_alive() for thread in self.threads[:-1]):
            name = chance.choice(list(MACHINES))
            document = machine(facts({**GOOD_SSHD, "permitrootlogin": chance.choice(["yes", "no"])},
                                     {"kernel.randomize_va_space": chance.choice("02")},
                                     [listener(chance.choice([22, 6379, 5432]), "x")], chance.choice(["0640", "0666"])))
            connection = self.send(connection, machine_id(self.server, name), document)
            if not connection:
                return
            self.machines[name] = document
            time.sleep(0.02)

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        for thread in self.threads:
            thread.join()

    def finish(self):
        for thread in self.threads:
            thread.join()
        assert not self.problems, self.problems

    def check(self, numbers):
        """Everything that was acknowledged is there, as it was sent."""
        with Connection(self.server, self.token) as connection:
            there = {item["name"]: item["properties"] for item in connection.list(f"{self.server.g}/{RACKS}")}
        lost = [number for number in numbers if there.get(f"r{number}") != rack(number)["properties"]]
        assert not lost, f"{len(lost)} of {len(numbers)} acknowledged resources are lost or changed: {lost[:5]}"


def scores(server):
    """The score and its controls, without ids of the subscription."""
    with Connection(server) as connection:
        score = connection.get(f"{server.s}/{SECURITY}/secureScores/ascScore")["properties"]
        controls = connection.list(f"{server.s}/{SECURITY}/secureScoreControls")
    return score, {control["name"]: control["properties"] for control in controls}


def findings(server):
    with Connection(server) as connection:
        assessments = connection.list(f"{server.s}/{SECURITY}/assessments")
    return {(item["properties"]["resourceDetails"]["id"].split("/")[-1], item["name"]): item["properties"]["status"]["code"]
            for item in assessments}


def verification(server):
    answer = server.call("GET", f"/{SECURITY}/activityLogVerifications/default").json["properties"]
    assert answer["intact"], answer
    return answer


def kill(server):
    server.process.kill()
    server.process.wait()
    server.process.stdout.close()
    server.start()


def test_kills_lose_nothing_that_was_acknowledged():
    server, chance = make_server(), random.Random(SEED)
    try:
        put_machines(server)
        with Load(server, RESOURCES) as load:
            for turn in range(KILLS):
                wanted = RESOURCES * (turn + 1) // (KILLS + 1)
                wait_until(lambda: load.problems or len(load.acknowledged) >= wanted, 300, "writing")
                time.sleep(chance.random() * 0.2)
                before = set(load.acknowledged)
                kill(server)
                load.check(before)
            load.finish()
        kill(server)
        load.check(range(RESOURCES))
        assert server.call("GET", server.s, token=load.token).status == 200
        assert verification(server)["entriesChecked"] >= RESOURCES

        fresh = make_server()
        try:
            for name, document in load.machines.items():
                assert fresh.call("PUT", machine_id(fresh, name), document).status == 201
            assert set(load.machines) == set(MACHINES)
            assert findings(server) == findings(fresh)
            assert scores(server) == scores(fresh)
        finally:
            fresh.stop()
    finally:
        server.stop()


def test_an_end_under_load_is_clean():
    server = make_server()
    try:
        with Load(server, RESOURCES) as load:
            wait_until(lambda: load.problems or len(load.acknowledged) >= 500, 120, "writing")
            assert server.stop() == 0, server.log()
            before = set(load.acknowledged)
            server.start()
            load.check(before)
        assert not load.problems, load.problems
        verification(server)
    finally:
        server.stop()


# ---- a full disk ----

@pytest.fixture
def small_disk(tmp_path):
    """A file system of 24 MB, a third of it taken by a file that can be removed."""
    if os.geteuid() != 0:
        pytest.skip("only root can mount a small file system")
    mount = tmp_path / "disk"
    mount.mkdir()
    done = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m,mode=0700", "tmpfs", mount], capture_output=True, text=True,
                          check=False)
    if done.returncode:
        pytest.skip(f"mounting is not allowed here: {done.stderr.strip()}")
    (mount / "ballast").write_bytes(bytes(8 << 20))
    yield mount
    subprocess.run(["umount", "--lazy", mount], check=True)


def fill(connection, server):
    """Writes until the server has no room; gives the numbers acknowledged and the refusal."""
    for number in range(100_000):
        document = rack(number)
        document["tags"] = {"filler": "f" * 4000}
        status, answer = connection.arm("PUT", f"{server.g}/{RACKS}/r{number}", document)
        if status not in (200, 201):
            return list(range(number)), status, answer
    raise AssertionError("the disk did not fill")


def test_a_full_disk_is_told_and_outlived(small_disk):
    server = Server(small_disk)
    server.init()
    server.start()
    try:
        put_machines(server)
        before = scores(server)
        with Connection(server) as connection:
            kept, status, answer = fill(connection, server)
            assert (status, answer["error"]["code"]) == (507, "InsufficientStorage"), answer
            assert len(kept) > 100
            for _ in range(3):  # and again, the same words
                assert connection.arm("PUT", f"{server.g}/{RACKS}/one-more", rack(0))[0] == 507
            assert connection.arm("GET", f"{server.g}/{RACKS}/r1")[0] == 200
            assert connection.arm("GET", f"{server.g}/{RACKS}/one-more")[0] == 404
            assert scores(server) == before
            assert server.send("GET", "/healthz").status == 200

            (pathlib.Path(small_disk) / "ballast").unlink()
            wait_until(lambda: connection.arm("PUT", f"{server.g}/{RACKS}/after", rack(7))[0] in (200, 201), 30, "room")
            put_machines(server)
        verification(server)
        assert server.stop() == 0, server.log()
        server.start()
        with Connection(server) as connection:
            there = {item["name"] for item in connection.list(f"{server.g}/{RACKS}")}
        assert there >= {f"r{number}" for number in kept} | {"after"}
        assert scores(server) == before
        verification(server)
    finally:
        server.stop()
