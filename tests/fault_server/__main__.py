"""`python -m tests.fault_server [--port N] [--plan JSON] [--certificate PEM] [--with-parent]`."""

from __future__ import annotations

import argparse
import asyncio
import gc
import resource
import ssl
import sys
from functools import partial

import orjson
import uvloop

from tests.fault_server.connection import Connection
from tests.fault_server.plan import parse_plan
from tests.fault_server.service import Service


def main() -> None:
    args = _arguments()
    _raise_file_limit()
    gc.freeze()
    uvloop.run(_serve(args))


async def _serve(args: argparse.Namespace) -> None:
    loop = asyncio.get_running_loop()
    service = Service(parse_plan(orjson.loads(args.plan)))
    server = await loop.create_server(
        partial(Connection, service, loop),
        args.host,
        args.port,
        ssl=_tls(args.certificate),
        backlog=8192,
    )
    scheme = "https" if args.certificate else "http"
    print(f"{scheme}://{args.host}:{server.sockets[0].getsockname()[1]}", flush=True)
    if args.with_parent:
        await loop.run_in_executor(None, sys.stdin.read)  # ends when the parent does
    else:
        await server.serve_forever()


def _tls(certificate: str | None) -> ssl.SSLContext | None:
    if certificate is None:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate)
    return context


def _raise_file_limit() -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 10_240 if hard == resource.RLIM_INFINITY else min(10_240, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="fault_server")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--plan", default="{}", help="JSON, as in plan.py")
    parser.add_argument("--certificate", help="a PEM file with key and chain: serve TLS")
    parser.add_argument("--with-parent", action="store_true", help="end when stdin is closed")
    return parser.parse_args()


main()
