"""The child process that reads and checks the configuration: `python -m appliance.server.build_worker`.

Parsing thousands of files in the serving process would stall every request, in a thread too (one lock for
all of Python). The child keeps what it parsed, so one changed file costs one file.
"""

import copyreg
import gc
import hashlib
import os
import signal
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from time import sleep
from types import MappingProxyType
from typing import BinaryIO

from appliance.config.declared.whole import Declared
from appliance.config.problems import ConfigRejected
from appliance.protocol.client import Client
from appliance.server import frames
from appliance.server.checking import Checked, Checker
from appliance.server.commit import read_commit
from appliance.server.generations import remember
from appliance.server.problems import diagnose
from appliance.server.rehearsed import Rehearsed
from appliance.server.stamp import locked_by_git, read_digest, stamp, watched

#: How often a tree that changes while it is read is read again, and the pause before that, seconds.
ATTEMPTS = 5
PAUSE = 0.1
NICENESS = 10
#: Clients in one frame: few enough to be unpacked without anybody noticing.
BATCH = 100
#: Sends one frame.
Tell = Callable[[bytes], None]


class Worker:
    """Answers the server's questions one after the other."""

    def __init__(self, checker_for: Callable[[frames.Build], Checker]) -> None:
        self._checker_for = checker_for
        self._checkers: dict[str | None, Checker] = {}
        #: Files outside the tree that the last good configuration named.
        self._outside: tuple[str, ...] = ()
        #: The clients that the server has from the last answer, with their digests.
        self._sent: dict[str, tuple[Client, bytes]] = {}
        self._nice = 0

    def serve(self, questions: BinaryIO, answers: BinaryIO, first: object | None = None) -> None:
        """Answer until the server is gone; `first` was asked with the command."""

        def tell(octets: bytes) -> None:
            answers.write(frames.frame(octets))
            answers.flush()

        question = first if first is not None else frames.read(questions)
        while question is not None:
            self._answer(question, tell)
            if not self._nice:
                # The first answer is what a start waits for; from then on requests come first.
                self._nice = os.nice(NICENESS)
            # The collector is off: it would walk everything parsed again and again. Now nobody waits.
            gc.collect()
            gc.freeze()
            question = frames.read(questions)

    def _answer(self, question: object, tell: Tell) -> None:
        match question:
            case frames.Build():
                self._build(question, tell)
            case frames.AskStamp(directory):
                locked = "locked " if locked_by_git(directory) else ""
                tell(frames.dump(locked + stamp(directory, self._outside)))
            case frames.Remember():
                tell(frames.dump(self._remember(question)))
            case _:
                raise frames.BrokenFrame

    def _build(self, asked: frames.Build, tell: Tell) -> None:
        checker = self._checkers.get(asked.environment)
        if checker is None:
            checker = self._checkers[asked.environment] = self._checker_for(asked)
        ahead: Declared | None = None

        def tell_ahead(declared: Declared) -> None:
            nonlocal ahead
            if asked.ahead and ahead is None:
                ahead = declared
                self._tell_clients(lambda batches: frames.Ahead(_bare(declared), batches), declared, tell)

        for _ in range(ATTEMPTS):
            before = stamp(asked.directory, self._outside)
            checked = _checked(checker, asked.directory, tell_ahead)
            if stamp(asked.directory, self._outside) == before:
                break
            sleep(PAUSE)
        if isinstance(checked, ConfigRejected):
            tell(frames.dump(self._rejection(asked.directory, checked, before)))
            return
        self._outside = tuple(_outside(asked.directory, checked.files))
        # What is outside is known only now; it is part of the stamp from here on.
        source = self._source(asked.directory, stamp(asked.directory, self._outside))
        declared, warnings = checked.declared, diagnose(checked.warnings, checked.excerpts)
        if declared is ahead:
            tell(frames.dump(frames.Built(None, warnings, source)))
        else:
            bare = _bare(declared)
            self._tell_clients(lambda batches: frames.Built(bare, warnings, source, batches), declared, tell)

    def _source(self, directory: Path, seen: str) -> frames.Source:
        return frames.Source(seen, read_commit(directory), watched(directory, self._outside))

    def _rejection(self, directory: Path, rejected: ConfigRejected, seen: str) -> frames.Rejected:
        diagnosis = diagnose(rejected.problems, rejected.excerpts)
        return frames.Rejected(read_digest(directory, self._outside), diagnosis, self._source(directory, seen))

    def _tell_clients(self, head: Callable[[int], object], declared: Declared, tell: Tell) -> None:
        """Tell `head`, which is given how many frames of clients follow it, and those."""
        listed: list[frames.Listed] = []
        sent: dict[str, tuple[Client, bytes]] = {}
        for client_id, client in declared.clients.items():
            octets = b""
            known = self._sent.get(client_id)
            # The same object as last time was not read anew: of thousands of clients, all but a few.
            if known is None or known[0] is not client:
                octets = frames.dump(client)
                known = (client, hashlib.sha256(octets).digest())
            sent[client_id] = known
            listed.append(frames.Listed(client_id, known[1], octets))
        self._sent = sent
        batches = [tuple(listed[at : at + BATCH]) for at in range(0, len(listed), BATCH)]
        tell(frames.dump(head(len(batches))))
        for batch in batches:
            tell(frames.dump(batch))

    def _remember(self, asked: frames.Remember) -> bool:
        unchanged = stamp(asked.directory, self._outside) == asked.stamp
        if unchanged:
            remember(asked.directory, asked.generations, asked.digest, asked.keep)
        return unchanged


def _checked(checker: Checker, directory: Path, tell: Callable[[Declared], None]) -> Checked | ConfigRejected:
    try:
        return checker.check(directory, tell)
    except ConfigRejected as rejected:
        return rejected


def _bare(declared: Declared) -> Declared:
    """Without its clients, which follow."""
    return replace(declared, clients={})


def _outside(directory: Path, named: Iterable[Path | str]) -> Iterable[str]:
    """What a configuration names outside of its own directory; inside everything is seen anyway."""
    inside = f"{os.path.abspath(directory)}/"
    for path in sorted({os.path.abspath(path) for path in named}):
        if not f"{path}/".startswith(inside):
            yield path


def _reduce(mapping: "MappingProxyType[str, object]") -> tuple[type, tuple[dict[str, object]]]:
    """How a read-only mapping is pickled: Python itself does not know."""
    return MappingProxyType, (dict(mapping),)


def _checker(asked: frames.Build) -> Checker:
    return Checker(asked.environment, rehearsed=Rehearsed(asked.state) if asked.state is not None else None)


def _read_first(arguments: Sequence[str]) -> frames.Build | None:
    """What is asked for with the command: directory, state, and an environment if one applies."""
    if not arguments:
        return None
    directory, state, *environment = arguments
    return frames.Build(Path(directory), environment[0] if environment else None, Path(state), ahead=True)


def main() -> None:
    """Serve over standard input and output until they close."""
    # What a library prints must not get between the frames.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    # An interrupt at the terminal reaches the whole group; the server decides when the child ends.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    copyreg.pickle(MappingProxyType, _reduce)
    gc.freeze()
    gc.disable()
    try:
        Worker(_checker).serve(sys.stdin.buffer, answers, _read_first(sys.argv[1:]))
    except BrokenPipeError:
        # The server ended before its answer; what is left in the buffer can go nowhere either.
        os._exit(0)


if __name__ == "__main__":
    main()
