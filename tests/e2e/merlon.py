"""The command line as a program: without a terminal, with one, and signed in to a server."""

import os
import pathlib
import pty
import select
import signal
import struct
import subprocess
import termios
import time
import fcntl

from conftest import ADMIN, BUILD, PASSWORD, ROOT

MERLON = BUILD / "src/merlon/merlon"
TIMEOUT_S = 120


def environment(**more):
    """Nothing of whoever runs the tests gets in."""
    kept = {name: os.environ[name] for name in os.environ if name in ("PATH", "TMPDIR") or name.endswith("SAN_OPTIONS")}
    return {**kept, "LC_ALL": "C.UTF-8", "HOME": "/nonexistent", "MERLON_CONTENT": str(ROOT / "content"), **more}


def merlon(*arguments, stdin="", env=None, **options):
    """Runs it, its streams being pipes."""
    return subprocess.run([MERLON, *map(str, arguments)], input=stdin, capture_output=True, text=True, timeout=TIMEOUT_S,
                          env=env or environment(), check=False, **options)


class Terminal:
    """merlon on a terminal of a width; what it shows comes as text."""

    def __init__(self, *arguments, columns=80, env=None):
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
        self.fd, self.theirs = ours, theirs
        self.process = subprocess.Popen([MERLON, *map(str, arguments)], stdin=theirs, stdout=theirs, stderr=theirs,
                                        env=env or environment(TERM="xterm"), start_new_session=True,
                                        preexec_fn=self.take)
        self.shown = b""

    @staticmethod
    def take():
        """In the child: the terminal is its own, and an interrupt reaches it also where this runs in the background."""
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)
        signal.signal(signal.SIGINT, signal.SIG_DFL)

    def read(self, until=None):
        """Up to a text, or to the end."""
        deadline = time.monotonic() + TIMEOUT_S
        while until is None or until.encode() not in self.shown:
            assert time.monotonic() < deadline, self.shown
            if not select.select([self.fd], [], [], 0.05)[0]:
                if until is None and self.process.poll() is not None:
                    break
                continue
            self.shown += os.read(self.fd, 65536)
        return self.shown.decode(errors="replace")

    def write(self, text):
        os.write(self.fd, text.encode())

    def echoes(self):
        return bool(termios.tcgetattr(self.theirs)[3] & termios.ECHO)

    def end(self):
        """Its exit status, and all that it showed."""
        shown = self.read()
        status = self.process.wait(TIMEOUT_S)
        os.close(self.fd)
        os.close(self.theirs)
        return status, shown


class Client:
    """merlon with a sign-in of its own to a server."""

    def __init__(self, server, directory):
        self.server, self.config = server, pathlib.Path(directory)
        self.env = environment(MERLON_CONFIG_DIR=str(self.config), MERLON_SERVER=server.url, MERLON_CA=server.ca)

    @property
    def session_file(self):
        return self.config / "session.json"

    def __call__(self, *arguments, stdin="", status=0):
        """Runs it and insists on how it ends."""
        done = merlon(*arguments, stdin=stdin, env=self.env)
        assert done.returncode == status, (arguments, done)
        return done

    def login(self, user=ADMIN, password=PASSWORD):
        self("login", "--user", user, "--secret-file", "-", stdin=password + "\n")
        return self
