"""What programs do that use an engine in several processes. Run as a script: SCENARIO URL METHOD.

Each prints what it saw as JSON. A script of its own, since `spawn` imports the main module, and a
fork of the test's process would copy what other tests hold.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import sys
import threading
from concurrent.futures import ProcessPoolExecutor
from typing import Any

from oumi.core.configs import GenerationParams, InferenceConfig, ModelParams, RemoteParams
from oumi.errors import OumiError
from oumi.inference import InferenceEngine, LlamaCppInferenceEngine, RemoteInferenceEngine
from tests.conftest import ask

SHORT = InferenceConfig(generation=GenerationParams(max_new_tokens=8))
WAIT_S = 60


def remote(url: str, **fields: Any) -> RemoteInferenceEngine:
    params = RemoteParams(api_url=url, retry_backoff_base=0.01, **fields)
    return RemoteInferenceEngine(ModelParams(model_name="m"), remote_params=params)


def answer(engine: InferenceEngine, text: str, **settings: Any) -> str:
    config = InferenceConfig(**settings) if settings else SHORT
    return engine.infer([ask(text)], config)[0].messages[-1].content


def put_answer(queue: Any, engine: InferenceEngine, text: str) -> None:
    queue.put(answer(engine, text))


def put_stream(queue: Any, engine: InferenceEngine, text: str) -> None:
    queue.put("".join(delta.content for delta in engine.stream(ask(text), SHORT)))


class Children:
    """Child processes that are started by a method and answer over a queue."""

    def __init__(self, method: str):
        self.context: Any = multiprocessing.get_context(method)
        self.queue = self.context.Queue()
        self.processes: list[Any] = []

    def start(self, target: Any, *args: Any) -> None:
        process = self.context.Process(target=target, args=(self.queue, *args))
        process.start()
        self.processes.append(process)

    def answers(self) -> list[Any]:
        found = [self.queue.get(timeout=WAIT_S) for _ in self.processes]
        for process in self.processes:
            process.join(WAIT_S)
        assert [process.exitcode for process in self.processes] == [0] * len(self.processes)
        return sorted(found)


def used(url: str, method: str) -> Any:
    """An engine that was used goes to children, and is used again after that."""
    engine, children = remote(url), Children(method)
    first = answer(engine, "row-0")
    children.start(put_answer, engine, "row-1")
    children.start(put_stream, engine, "row-2")
    return [first, *children.answers(), answer(engine, "row-3")]


def local(url: str, method: str) -> Any:
    """The same of a model on this machine."""
    with LlamaCppInferenceEngine() as engine:
        first, children = answer(engine, "What is 2+2?"), Children(method)
        children.start(put_answer, engine, "What is 2+2?")
        found = children.answers()
        return {first, *found, answer(engine, "What is 2+2?")} == {first}


def pool(url: str, method: str) -> Any:
    """`concurrent.futures`, the engine being an argument of each call."""
    engine = remote(url)
    context: Any = multiprocessing.get_context(method)
    with ProcessPoolExecutor(2, mp_context=context) as executor:
        first = answer(engine, "row-0")
        calls = [executor.submit(answer, engine, f"row-{i}") for i in range(1, 5)]
        return [first, *(call.result(WAIT_S) for call in calls)]


def pool_errors(url: str, method: str) -> Any:
    """What goes wrong in a worker arrives as it was raised, and the pool goes on."""
    context: Any = multiprocessing.get_context(method)
    found = []
    with ProcessPoolExecutor(1, mp_context=context) as executor:
        for fields in ({"api_key_env_varname": "ONLY_HERE"}, {}):
            engine = remote(url, **fields)
            call = executor.submit(_without_key, engine)
            try:
                call.result(WAIT_S)
            except OumiError as error:
                failures = error.result.failures if error.result else {}
                found.append([type(error).__name__, str(error)[:60], len(failures)])
    return found


def _without_key(engine: InferenceEngine) -> str:
    os.environ.pop("ONLY_HERE", None)
    return answer(engine, "row-9")


class Rows:
    """A data set as a loader has it: it holds an engine, and its items are asked for in workers."""

    def __init__(self, engine: InferenceEngine):
        self.engine = engine

    def __getitem__(self, index: int) -> str:
        return answer(self.engine, f"row-{index}")


def _work(rows: Rows, indices: Any, found: Any) -> None:
    for index in iter(indices.get, None):
        found.put((index, rows[index]))


def loader(url: str, method: str) -> Any:
    """Workers with a queue of indices each and one of results, as data loaders start them."""
    context: Any = multiprocessing.get_context(method)
    rows, found = Rows(remote(url)), context.Queue()
    first = rows[100]
    queues = [context.Queue() for _ in range(2)]
    workers = [
        context.Process(target=_work, args=(rows, queue, found), daemon=True) for queue in queues
    ]
    for worker in workers:
        worker.start()
    for index in range(20):
        queues[index % 2].put(index)
    got = dict(found.get(timeout=WAIT_S) for _ in range(20))
    for queue, worker in zip(queues, workers, strict=True):
        queue.put(None)
        worker.join(WAIT_S)
    return [first, *(got[index] for index in range(20))]


def in_flight(url: str, folder: str) -> Any:
    """Forks in mid-run: the run ends whole, and each child asks for itself."""
    engine, children = remote(url, num_workers=8), Children("fork")
    config = InferenceConfig(output_path=f"{folder}/out.jsonl")
    begun = threading.Event()
    result: list[Any] = []

    def run() -> None:
        asked = [ask(f"row-{i}") for i in range(200)]
        result.extend(engine.infer(asked, config, on_event=lambda _: begun.set()))

    thread = threading.Thread(target=run)
    thread.start()
    begun.wait(WAIT_S)
    for i in range(4):
        children.start(put_with_output, engine, f"row-{500 + i}", f"{folder}/child-{i}.jsonl")
    found = children.answers()
    thread.join(WAIT_S)
    return [found, len(result), {c.messages[-1].content for c in result} >= {"answer to row-7"}]


def put_with_output(queue: Any, engine: InferenceEngine, text: str, path: str) -> None:
    queue.put(answer(engine, text, output_path=path))


def locks(url: str, folder: str) -> Any:
    """A child that lives on holds no journal of its parent's."""
    engine, children = remote(url), Children("fork")
    path, begun, stay = f"{folder}/out.jsonl", threading.Event(), children.context.Event()
    run = threading.Thread(
        target=answer, args=(engine, "row-1"), kwargs={"output_path": path}, daemon=True
    )
    run.start()
    while not os.path.exists(f"{path}.journal"):
        begun.wait(0.01)
    children.start(put_when_told, stay)
    run.join(WAIT_S)
    more = InferenceConfig(output_path=path, overwrite=True)
    again = engine.infer([ask("row-1"), ask("row-2")], more)
    stay.set()
    return [[c.messages[-1].content for c in again], children.answers()]


def killed(url: str, folder: str) -> Any:
    """The same where the parent is killed in mid-run: the child's id is printed first."""
    engine, path = remote(url), f"{folder}/out.jsonl"
    arguments = {"output_path": path}
    threading.Thread(target=answer, args=(engine, "row-1"), kwargs=arguments, daemon=True).start()
    while not os.path.exists(f"{path}.journal"):
        threading.Event().wait(0.01)
    forked, ready = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.write(ready, b"!")
        sys.stdin.read()
        os._exit(0)
    os.read(forked, 1)
    print(pid, flush=True)
    os.kill(os.getpid(), 9)


def put_when_told(queue: Any, stay: Any) -> None:
    queue.put(stay.wait(WAIT_S))


def exits(url: str, kind: str) -> Any:
    """A plain `os.fork` whose child ends as programs do."""
    engine = LlamaCppInferenceEngine() if kind.startswith("local") else remote(url)
    first = answer(engine, "row-1")
    pid = os.fork()
    if pid == 0:
        if kind.endswith("used"):
            assert answer(engine, "row-1") == first
        if kind.endswith("closed"):
            engine.close()
        sys.exit(7)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def limits(url: str, method: str) -> Any:
    """All places are taken in the parent when it forks; the child has its own."""
    engine, children = remote(url, num_workers=1), Children(method)
    threading.Thread(target=answer, args=(engine, "row-1"), daemon=True).start()
    while engine.session().limiter.in_flight == 0:
        threading.Event().wait(0.01)
    children.start(put_answer, engine, "row-2")
    found = children.answers()
    print(json.dumps(found), flush=True)
    os._exit(0)


if __name__ == "__main__":
    print(json.dumps(globals()[sys.argv[1]](*sys.argv[2:])), flush=True)
