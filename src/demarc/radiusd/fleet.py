"""Several radiusd processes on the same ports: all packets of one NAS, of either kind, reach the same one.

The kernel picks the process by the packet's source address (SO_ATTACH_REUSEPORT_CBPF), so each has memory, journal and
leases of its own and shares nothing. The sockets are made here and outlive a process that dies. Knows no packets.
"""

import asyncio
import contextlib
import ctypes
import logging
import signal
import socket
import struct
import sys
from collections.abc import Sequence

from demarc.radiusd.config import Config
from demarc.radiusd.server import listen

SO_ATTACH_REUSEPORT_CBPF = 51
AGAIN_S = 1.0
STOP_S = 8.0

# Classic BPF (linux/filter.h): operations, and where the network header begins.
_LOAD_WORD, _LOAD_BYTE, _SHIFT_RIGHT, _JUMP_IF, _JUMP, _MODULO, _RETURN = 0x20, 0x30, 0x74, 0x15, 0x05, 0x94, 0x16
_NETWORK = -0x100000 & 0xFFFFFFFF
_IPV4_SOURCE, _IPV6_SOURCE_TAIL = 12, 20

log = logging.getLogger(__name__)


class Unsteerable(Exception):
    """This kernel does not let us choose the process by the source address."""


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_void_p))


def steering(processes: int) -> bytes:
    """The filter whose result is the process: the last four octets of the source address modulo their number.

    The same as config.share_of.
    """
    return b"".join(
        struct.pack("=HBBI", code, if_true, if_false, value & 0xFFFFFFFF)
        for code, if_true, if_false, value in (
            (_LOAD_BYTE, 0, 0, _NETWORK),
            (_SHIFT_RIGHT, 0, 0, 4),  # the version of IP
            (_JUMP_IF, 0, 2, 6),
            (_LOAD_WORD, 0, 0, _NETWORK + _IPV6_SOURCE_TAIL),
            (_JUMP, 0, 0, 1),
            (_LOAD_WORD, 0, 0, _NETWORK + _IPV4_SOURCE),
            (_MODULO, 0, 0, processes),
            (_RETURN, 0, 0, 0),
        )
    )


def listen_together(bind: str, port: int, processes: int) -> list[socket.socket]:
    """One socket for each process, in the order in which the kernel counts them.

    Raises OSError as `listen` does, and Unsteerable.
    """
    listen(bind, port).close()  # without SO_REUSEPORT: a port that somebody else has is not shared with him
    sockets = [listen(bind, port, shared=True) for _ in range(processes)]
    filters = ctypes.create_string_buffer(steering(processes))
    program = _Program(len(filters.raw) // 8, ctypes.addressof(filters))
    try:
        sockets[0].setsockopt(socket.SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, bytes(program))
    except OSError as error:
        for sock in sockets:
            sock.close()
        raise Unsteerable(str(error)) from error
    return sockets


async def run(config: Config) -> None:
    """Keep all processes running until SIGTERM or SIGINT. Raises Unsteerable before any is started."""
    auth = listen_together(config.bind, config.auth_port, config.processes)
    acct = listen_together(config.bind, config.acct_port, config.processes)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    tasks = [
        asyncio.create_task(_keep(index, (auth[index].fileno(), acct[index].fileno())))
        for index in range(config.processes)
    ]
    await stop.wait()
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _keep(index: int, sockets: Sequence[int]) -> None:
    """Keep one process running; ours to end when we are cancelled."""
    command = (sys.executable, "-m", "demarc.radiusd", str(index), *map(str, sockets))
    while True:
        child = await asyncio.create_subprocess_exec(*command, pass_fds=sockets)
        try:
            code = await child.wait()
        except asyncio.CancelledError:
            child.terminate()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(child.wait(), STOP_S)
            raise
        log.error("process %d ended with %s; starting it again", index, code)
        await asyncio.sleep(AGAIN_S)
