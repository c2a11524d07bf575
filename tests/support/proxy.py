# SPDX-License-Identifier: Apache-2.0
"""A TCP proxy in front of a database that can be told to hang or to break: what a network does."""

import selectors
import socket
import threading


class Proxy:
    """Listens on a free port and passes bytes on to `target` (host, port). While `hangs` is set, connections are taken and
    nothing passes; cut() ends all connections."""

    def __init__(self, target):
        self.target = target
        self.hangs = threading.Event()
        self.ending = threading.Event()
        self.pairs = set()
        self.lock = threading.Lock()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def serve(self, client):
        try:
            server = socket.create_connection(self.target)
        except OSError:
            client.close()
            return
        pair = (client, server)
        with self.lock:
            self.pairs.add(pair)
        try:
            self.pass_on(client, server)
        except OSError:
            pass
        with self.lock:
            self.pairs.discard(pair)
        for end in pair:
            end.close()

    def pass_on(self, client, server):
        selector = selectors.DefaultSelector()
        selector.register(client, selectors.EVENT_READ, server)
        selector.register(server, selectors.EVENT_READ, client)
        while not self.ending.is_set():
            for key, _ in selector.select(0.1):
                while self.hangs.is_set() and not self.ending.is_set():
                    self.ending.wait(0.05)
                data = key.fileobj.recv(65536)
                if not data:
                    return
                key.data.sendall(data)

    def cut(self):
        with self.lock:
            for pair in self.pairs:
                for end in pair:
                    try:
                        end.shutdown(socket.SHUT_RDWR)
                    except OSError:
                        pass

    def close(self):
        self.ending.set()
        self.listener.close()
        self.cut()
