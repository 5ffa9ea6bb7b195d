"""A way to AWS on which an answer can get lost: AWS has done what it was asked, and who asked never hears of it."""

import socket
import threading
from collections.abc import Callable
from contextlib import suppress

import psutil

Lost = Callable[[psutil.Process], None]


class Way:
    """Listens on 127.0.0.1 and hands on what it gets to `port` there, and back, but for what `lose` says."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._losses: list[tuple[bytes, Lost, threading.Event]] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self) -> str:
        """Goes into AWS_ENDPOINT_URL."""
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def lose(self, asked: str, then: Lost) -> threading.Event:
        """Lose the answer to the next request in whose head `asked` stands, and do `then` to the process that has sent
        it; set once that is done."""
        done = threading.Event()
        self._losses.append((asked.encode(), then, done))
        return done

    def close(self) -> None:
        """Take no more connections."""
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):  # closed
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(("127.0.0.1", self._port))
                threading.Thread(target=self._there, args=(client, server), daemon=True).start()

    def _there(self, client: socket.socket, server: socket.socket) -> None:
        """Hand on what the client sends; whoever answers is handed on beside it."""
        lost: list[tuple[Lost, threading.Event]] = []
        back = threading.Thread(target=self._back, args=(client, server, lost), daemon=True)
        back.start()
        with suppress(OSError), server:
            while sent := client.recv(1 << 16):
                for loss in self._losses:
                    if loss[0] in sent:
                        self._losses.remove(loss)
                        lost.append(loss[1:])
                        break
                server.sendall(sent)
            server.shutdown(socket.SHUT_RDWR)

    def _back(self, client: socket.socket, server: socket.socket, lost: list[tuple[Lost, threading.Event]]) -> None:
        with suppress(OSError), client:
            while answered := server.recv(1 << 16):
                if lost:
                    then, done = lost.pop()
                    then(_other_end(client))
                    done.set()
                    return
                client.sendall(answered)


def _other_end(connection: socket.socket) -> psutil.Process:
    """The process that has opened the connection."""
    port = connection.getpeername()[1]
    (owner,) = {
        found.pid for found in psutil.net_connections("tcp4") if found.laddr.port == port and found.pid is not None
    }
    return psutil.Process(owner)
