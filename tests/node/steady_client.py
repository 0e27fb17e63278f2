"""Runs in a pod: asks HOST PORT all the time, until SIGTERM; tells what it has got.

Most requests take a connection each. One thread keeps its connection, and asks again
over a new one when that was closed before any answer, as HTTP clients do.
"""

# ruff: noqa: T201

from __future__ import annotations

import http.client
import json
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable

THREADS, PAUSE_SECONDS, TIMEOUT_SECONDS = 3, 0.1, 30

over = threading.Event()
lock = threading.Lock()
answers: Counter[str] = Counter()
lost: list[str] = []


def connection() -> http.client.HTTPConnection:
    host, port = sys.argv[1:]
    return http.client.HTTPConnection(host, int(port), timeout=TIMEOUT_SECONDS)


def answer(to: http.client.HTTPConnection) -> str:
    to.request("GET", "/health")
    got = to.getresponse()
    body = got.read()
    if got.status != http.client.OK:
        raise http.client.HTTPException(f"status {got.status}: {body[:200]!r}")
    return str(json.loads(body)["status"])


def afresh() -> str:
    one = connection()
    try:
        return answer(one)
    finally:
        one.close()


def over_kept() -> Callable[[], str]:
    kept = connection()

    def ask() -> str:
        nonlocal kept
        try:
            return answer(kept)
        except (http.client.RemoteDisconnected, ConnectionError):
            kept.close()
            kept = connection()
            return answer(kept)

    return ask


def run(ask: Callable[[], str]) -> None:
    while not over.wait(PAUSE_SECONDS):
        begun = time.time()
        try:
            got = ask()
        except (OSError, http.client.HTTPException) as error:
            with lock:
                lost.append(f"{begun:.1f} {time.time() - begun:.1f} s: {error!r}")
                print(lost[-1], flush=True)
        else:
            with lock:
                answers[got] += 1


def main() -> None:
    signal.signal(signal.SIGTERM, lambda *_: over.set())
    asks = [*[afresh] * THREADS, over_kept()]
    threads = [threading.Thread(target=run, args=(ask,)) for ask in asks]
    for thread in threads:
        thread.start()
    while not over.wait(1):
        print(json.dumps(answers), flush=True)
    for thread in threads:
        thread.join()
    print(json.dumps({"answers": answers, "lost": lost}), flush=True)


if __name__ == "__main__":
    main()
