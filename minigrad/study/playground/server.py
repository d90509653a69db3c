"""The playground's server: one page and its data, for this machine alone."""

from __future__ import annotations

import argparse
import errno
import json
import threading
import time
import webbrowser
from functools import cache
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from typing import Any

from minigrad.study.playground.choices import DATA, LOSSES, fitting
from minigrad.study.playground.trainer import ACTIVATIONS, OPTIMIZERS, BadSetup, Setup, Trainer
from minigrad.train.problems import Problem

_MOST_BODY = 10_000  # bytes of a request
_MOST_STEPS = 1000  # of one request
_REST = 0.004  # seconds between steps while playing, so that requests are answered


@cache
def page() -> str:
    """The page, in one piece."""
    folder = files("minigrad.study.playground") / "assets"
    style, script = ((folder / name).read_text("utf-8") for name in ("page.css", "page.js"))
    text = (folder / "page.html").read_text("utf-8")
    return text.replace("/*STYLE*/", style).replace("/*SCRIPT*/", script).replace("/*CHOICES*/", _choices())


def _choices() -> str:
    """What can be chosen, as JSON inside a script."""
    found = {
        "data": {
            name: {"label": data.label, "task": data.task, "losses": fitting(data)}
            for name, data in DATA.items()
        },
        "losses": {
            name: {"task": c.task, "option": None if c.option is None else vars(c.option)}
            for name, c in LOSSES.items()
        },
        "activations": list(ACTIVATIONS),
        "optimizers": list(OPTIMIZERS),
    }
    return json.dumps(found).replace("<", "\\u003c")


class Playground:
    """A training that runs while it is watched, and the server that shows it.

    Example:
        >>> from minigrad.study.playground.server import Playground
        >>> playground = Playground(port=0)
        >>> playground.url.startswith("http://127.0.0.1:")
        True
        >>> playground.close()
    """

    def __init__(self, host: str = "127.0.0.1", port: int = 8765) -> None:
        self.trainer = Trainer(Setup())
        self.playing = False
        self._lock = threading.Lock()
        self._ended = threading.Event()
        try:
            self.server = ThreadingHTTPServer((host, port), _handler(self))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                raise Problem(f"port {port} is taken; type --port 0 for a free one") from None
            raise Problem(f"cannot listen at {host}:{port}: {error.strerror}") from None
        self.server.daemon_threads = True
        self.hosts = {f"{name}:{self.port}" for name in (host, "127.0.0.1", "localhost", "[::1]")}
        self._threads = [
            threading.Thread(target=self.server.serve_forever, args=(0.1,), daemon=True),
            threading.Thread(target=self._play, daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    @property
    def port(self) -> int:
        """The port it listens at."""
        return int(self.server.server_address[1])

    @property
    def url(self) -> str:
        """Where the page is."""
        return f"http://{self.server.server_address[0]!s}:{self.port}/"

    def close(self) -> None:
        """Stop training and listening."""
        self._ended.set()
        self.server.shutdown()
        self.server.server_close()
        for thread in self._threads:
            thread.join(5)

    def _play(self) -> None:
        while not self._ended.is_set():
            if self.playing:
                with self._lock:
                    if self.playing:  # a button may have been pressed meanwhile
                        self.trainer.step()
                        self.playing = self.playing and not self.trainer.diverged
            time.sleep(_REST if self.playing else 0.03)

    # ------------------------------------------------------------------------------- requests
    def state(self) -> dict[str, Any]:
        """What the page shows."""
        with self._lock:
            return {**self.trainer.state(), "playing": self.playing}

    def act(self, path: str, given: dict[str, Any]) -> dict[str, Any]:
        """Do what a button says.

        Raises:
            BadSetup: what was sent is not as it must be.
            KeyError: there is no such button.
        """
        if path == "/setup":
            setup = Setup.of(given)
            with self._lock:
                self.trainer, self.playing = Trainer(setup), False
        elif path == "/run":
            self.playing = bool(given.get("on")) and not self.trainer.diverged
        elif path == "/step":
            count = given.get("count", 1)
            if not isinstance(count, int) or not 1 <= count <= _MOST_STEPS:
                raise BadSetup(f"count must be a whole number from 1 to {_MOST_STEPS}, but got {count!r}")
            with self._lock:
                self.playing = False
                for _ in range(count):
                    self.trainer.step()
        elif path == "/reset":
            with self._lock:
                self.trainer, self.playing = Trainer(self.trainer.setup), False
        else:
            raise KeyError(path)
        return self.state()


def _handler(playground: Playground) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        """Answers the page's requests, and nobody else's."""

        server_version = "minigrad"
        sys_version = ""

        def do_GET(self) -> None:
            if not self._allowed():
                return
            if self.path == "/":
                self._send(HTTPStatus.OK, page(), "text/html; charset=utf-8")
            elif self.path == "/state":
                self._json(HTTPStatus.OK, playground.state())
            else:
                self._json(HTTPStatus.NOT_FOUND, {"error": f"there is no {self.path}"})

        def do_POST(self) -> None:
            if not self._allowed():
                return
            try:
                size = int(self.headers.get("Content-Length") or 0)
                if not 0 <= size <= _MOST_BODY:
                    raise BadSetup(f"a request has at most {_MOST_BODY} bytes, but this has {size}")
                given = json.loads(self.rfile.read(size) or b"{}")
                if not isinstance(given, dict):
                    raise BadSetup("a request is a JSON object")
                self._json(HTTPStatus.OK, playground.act(self.path, given))
            except KeyError:
                self._json(HTTPStatus.NOT_FOUND, {"error": f"there is no {self.path}"})
            except ValueError as error:  # BadSetup, and what is no JSON
                self._json(HTTPStatus.BAD_REQUEST, {"error": str(error)})

        def _allowed(self) -> bool:
            """Whether the request is from the page: other sites may not reach into this machine."""
            origin = self.headers.get("Origin")
            own = self.headers.get("Host", "") in playground.hosts
            own = own and (origin is None or origin.removeprefix("http://") in playground.hosts)
            if not own:
                self._json(HTTPStatus.FORBIDDEN, {"error": "requests come from the playground's own page"})
            return own

        def _json(self, status: HTTPStatus, data: dict[str, Any]) -> None:
            self._send(status, json.dumps(data), "application/json")

        def _send(self, status: HTTPStatus, text: str, kind: str) -> None:
            body = text.encode("utf-8")
            self.send_response(status)
            for name, value in (
                ("Content-Type", kind),
                ("Content-Length", str(len(body))),
                ("Cache-Control", "no-store"),
                ("X-Content-Type-Options", "nosniff"),
                ("Content-Security-Policy", "default-src 'self' 'unsafe-inline'; img-src 'self' data:"),
            ):
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            """Nothing: the terminal shows the address alone."""

    return Handler


# ---------------------------------------------------------------------------------------- the command
def playground(host: str = "127.0.0.1", port: int = 8765, browser: bool = True) -> None:
    """Serve the playground until Ctrl-C: choose data, network, loss and optimiser, and watch them train.

    Args:
        host: the address to listen at; other machines cannot reach the default one.
        port: 0 takes any free one.
        browser: open the page.

    Raises:
        Problem: the port is taken.
    """
    running = Playground(host, port)
    try:
        print(f"The playground is at {running.url} (Ctrl-C ends it)", flush=True)
        if browser:
            webbrowser.open(running.url)
        running._ended.wait()
    except KeyboardInterrupt:
        print()
    finally:
        running.close()


def add_parser(commands: Any) -> None:
    """Add `playground` to the subcommands of `minigrad`."""
    parser = commands.add_parser(
        "playground",
        allow_abbrev=False,
        help="watch a small network train in the browser: any data, loss and optimiser",
        description="Serve a page on this machine: choose data, network, loss and optimiser, and watch the "
        "boundary, the loss and the gradients while minigrad trains. Ctrl-C ends it.",
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen at (default 127.0.0.1)")
    parser.add_argument("--port", type=_port, default=8765, help="default 8765; 0 takes a free one")
    parser.add_argument("--no-browser", action="store_true", help="print the address only")
    parser.set_defaults(run=_run)


def _port(text: str) -> int:
    if not text.isdigit() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} given, expected a number from 0 to 65535")
    return int(text)


def _run(options: argparse.Namespace) -> int:
    playground(options.host, options.port, not options.no_browser)
    return 0
