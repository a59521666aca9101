"""Holds pages open as browsers do and says what that brought: usage: browsers.py ORIGIN COUNT SECONDS [VIEWS]

Half of COUNT look at the overview, the others at VIEWS different views of it (40 unless told). Each gets its page once and then listens to
/live. Prints one line to evaluate in a shell: `open` (pages that were still open at the end), `bytes` (heard by all of them over SECONDS, which
begin when all are open), `changes` (how often one of them was told of a change).
"""

import asyncio
import re
import sys
from urllib.parse import quote, urlsplit


class Heard:
    def __init__(self):
        self.open = 0
        self.bytes = 0
        self.changes = 0


def view_of(number, views):
    if number % 2 == 0:
        return "/"
    return f"/?sort=name&page={number // 2 % views + 1}"


async def ask(host, port, path):
    reader, writer = await asyncio.open_connection(host, port, limit=2**24)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: {host}\r\nAccept-Encoding: identity\r\n\r\n".encode())
    await writer.drain()
    head = await reader.readuntil(b"\r\n\r\n")
    status = head.split(b"\r\n")[0].decode()
    if " 200 " not in status:
        raise ConnectionError(f"{path}: {status}")
    return reader, writer, head


async def version_of(host, port, view):
    reader, writer, head = await ask(host, port, view)
    length = int(re.search(rb"content-length: (\d+)", head.lower()).group(1))
    page = await reader.readexactly(length)
    writer.close()
    return re.search(rb'data-version="([0-9a-f]+)"', page).group(1).decode()


async def browser(host, port, view, heard, ready, measuring):
    version = await version_of(host, port, view)
    reader, writer, _ = await ask(host, port, f"/live?view={quote(view, safe='')}&version={version}")
    heard.open += 1
    ready()
    try:
        while data := await reader.read(2**20):
            if measuring.is_set():
                heard.bytes += len(data)
                heard.changes += data.count(b"event: change")
    except OSError:
        pass
    finally:
        heard.open -= 1
        writer.close()


async def main(origin, count, seconds, views=40):
    address = urlsplit(origin)
    heard, measuring, gate = Heard(), asyncio.Event(), asyncio.Semaphore(20)
    left, all_open = count, asyncio.Event()

    def ready():
        nonlocal left
        left -= 1
        gate.release()
        if left == 0:
            all_open.set()

    async def opened(number):
        await gate.acquire()  # twenty at a time, as people come
        await browser(address.hostname, address.port, view_of(number, views), heard, ready, measuring)

    tasks = [asyncio.create_task(opened(number)) for number in range(count)]
    failed = asyncio.gather(*tasks)
    done, _ = await asyncio.wait([asyncio.create_task(all_open.wait()), failed], timeout=300, return_when=asyncio.FIRST_COMPLETED)
    if not done or failed in done:
        raise SystemExit(f"browsers: only {heard.open} of {count} could be opened: {failed.exception() if failed.done() else 'too slow'}")
    print("opened", flush=True)
    measuring.set()
    await asyncio.sleep(seconds)
    measuring.clear()
    print(f"open={heard.open} bytes={heard.bytes} changes={heard.changes}", flush=True)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


if __name__ == "__main__":
    if len(sys.argv) not in (4, 5):
        raise SystemExit(__doc__)
    asyncio.run(main(sys.argv[1], *(int(argument) for argument in sys.argv[2:])))
