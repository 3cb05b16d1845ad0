"""A chat API that misbehaves as told and counts what it saw.

`python -m tests.fault_server --port 0` runs it and prints its address on the first line;
`FaultServer` does so from a test. The way of a request:

    Connection (bytes) → Service (routes, plan, counts) → answers.make (what to write) → Connection

A row is named by the last `row-<number>` in the body, or else by the text of the last user
message; its answer is `answer to <row>`. Which rows a fault hits follows from the plan alone
(plan.py), so counts are exact.
"""

from tests.fault_server.handle import FaultServer

__all__ = ["FaultServer"]
