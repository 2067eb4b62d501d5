#!/usr/bin/python3
"""Requests a second over four connections that stay open, and what each costs the server in processor time.

The peers: the server's own answer that needs neither sign-in nor engine (/healthz), and nginx with a file over TLS where nginx
is installed: what the machine and these clients can reach at all. The clients are four processes that write and read TLS, and
nothing else; with few processors they share them with the server, so the time a request costs says more than the rate.
"""

import multiprocessing
import os
import pathlib
import shutil
import socket
import ssl
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "tests/e2e"))
from conftest import make_server
from machines import put_machines

CLIENTS, ROUNDS, ROUND_S = 4, 3, 1.0
TICKS = os.sysconf("SC_CLK_TCK")


def ask(port, ca, request, seconds, ready, go, count):
    """A client: the same request again and again; counts the answers."""
    context = ssl.create_default_context(cafile=ca)
    connection = context.wrap_socket(socket.create_connection(("127.0.0.1", port)), server_hostname="127.0.0.1")
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def exchange():
        connection.sendall(request)
        data = connection.recv(65536)
        while (end := data.find(b"\r\n\r\n")) < 0:
            data += connection.recv(65536)
        head = data[:end].lower()
        if b" 200 " not in head[:20]:
            raise RuntimeError(head.decode(errors="replace"))
        at = head.index(b"content-length:") + 15
        missing = int(head[at:].split(b"\r\n", 1)[0]) - (len(data) - end - 4)
        while missing > 0:
            missing -= len(connection.recv(min(missing, 1 << 20)))

    exchange()
    ready.release()
    go.wait()
    done, end = 0, time.monotonic() + seconds
    while time.monotonic() < end:
        exchange()
        done += 1
    count.put(done)


def cpu_seconds(pids):
    total = 0
    for pid in pids:
        fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        total += int(fields[11]) + int(fields[12])
    return total / TICKS


def measure(port, ca, request, pids):
    """(requests a second, processor nanoseconds a request), medians of the rounds."""
    rates, costs = [], []
    for _ in range(ROUNDS):
        ready, go, count = multiprocessing.Semaphore(0), multiprocessing.Event(), multiprocessing.Queue()
        clients = [multiprocessing.Process(target=ask, args=(port, ca, request, ROUND_S, ready, go, count)) for _ in range(CLIENTS)]
        for client in clients:
            client.start()
        for _ in clients:
            ready.acquire()
        before, started = cpu_seconds(pids), time.monotonic()
        go.set()
        done = sum(count.get(timeout=60) for _ in clients)
        rates.append(done / (time.monotonic() - started))
        costs.append((cpu_seconds(pids) - before) / done * 1e9)
        for client in clients:
            client.join()
    return statistics.median(rates), statistics.median(costs)


def show(name, result, peer=None):
    """Two lines; peer: (name, its result)."""
    for suffix, unit, value, other in zip(("", "-cpu"), ("/s", "ns"), result, peer[1] if peer else (0, 0)):
        more = f" (ratio {value / other:.2f} to {peer[0]}{suffix})" if peer else ""
        print(f"bench: {name}{suffix} {value:.0f} {unit}{more}", flush=True)


def get(target, token=None):
    authorization = f"Authorization: Bearer {token}\r\n" if token else ""
    return f"GET {target} HTTP/1.1\r\nHost: 127.0.0.1\r\n{authorization}\r\n".encode()


def nginx(server, directory):
    """Starts nginx with the server's certificate and one file; its process ids and port, or None where there is none."""
    program = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    if not program:
        return None
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    (directory / "file").write_text("x" * 400)
    (directory / "conf").write_text(f"""worker_processes {os.cpu_count()}; pid {directory}/pid; error_log /dev/null; daemon off;
        events {{ }} http {{ access_log off; keepalive_requests 100000000; server {{ listen 127.0.0.1:{port} ssl; root {directory};
        ssl_certificate {server.state}/server.pem; ssl_certificate_key {server.state}/server.key; }} }}""")
    process = subprocess.Popen([program, "-c", directory / "conf", "-p", directory], stderr=subprocess.DEVNULL)
    time.sleep(0.5)
    children = pathlib.Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    return process, [process.pid, *map(int, children)], port


def main():
    server = make_server()
    try:
        with tempfile.TemporaryDirectory() as directory:
            put_machines(server)
            pids, token = [server.process.pid], server.token()
            peer = None
            if other := nginx(server, pathlib.Path(directory)):
                process, other_pids, port = other
                peer = "nginx-file", measure(port, server.ca, get("/file"), other_pids)
                show(*peer)
                process.terminate()
                process.wait()
            plain = "healthz", measure(server.port, server.ca, get("/healthz"), pids)
            show(*plain, peer)
            security = f"{server.s}/providers/Microsoft.Security"
            for name, target in {"secure-score": f"{security}/secureScores?api-version=2020-01-01",
                                 "score-controls": f"{security}/secureScoreControls?api-version=2020-01-01",
                                 "assessments-of-3-machines": f"{security}/assessments?api-version=2021-06-01"}.items():
                show(name, measure(server.port, server.ca, get(target, token), pids), plain)
    finally:
        server.stop()


if __name__ == "__main__":
    main()
