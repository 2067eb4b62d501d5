#!/usr/bin/python3
"""An HTTPS server for the tests of the client: https_server.py CHAIN KEY CLIENT_CA. Prints its port, ends when its
standard input is closed. Each path is one way to behave."""

import http.server
import json
import ssl
import sys
import threading
import time


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def answer(self, status, body=b"", **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def respond(self):
        body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        if self.path == "/redirect":
            self.answer(302, Location="https://192.0.2.1/elsewhere")
        elif self.path == "/large":
            self.answer(200, b"x" * 100000)
        elif self.path == "/headers":
            self.answer(200, **{f"X_Filler_{i}": "y" * 1000 for i in range(40)})
        elif self.path == "/slow":
            time.sleep(5)
            self.answer(200)
        elif self.path == "/busy":
            self.answer(503, Retry_After="7")
        elif self.path == "/busy-until-a-date":
            self.answer(503, Retry_After="Fri, 31 Dec 1999 23:59:59 GMT")
        elif self.path == "/busy-for-years":
            self.answer(503, Retry_After="99999999999", Location="https://192.0.2.1/" + "x" * 2000)
        else:
            peer = self.connection.getpeercert() or {}
            names = [value for part in peer.get("subject", ()) for name, value in part if name == "commonName"]
            seen = {"method": self.command, "path": self.path, "body": body.decode(), "client": names[0] if names else "",
                    "headers": dict(self.headers.items()), "tls": self.connection.version(),
                    "port": self.client_address[1]}
            self.answer(200, json.dumps(seen).encode(), Content_Type="application/json")

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = respond


def main():
    chain, key, client_ca = sys.argv[1:]
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(chain, key)
    context.load_verify_locations(client_ca)
    context.verify_mode = ssl.CERT_OPTIONAL
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_address[1], flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
