"""A stage of a pipeline that is Ray Data already."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from oumi.core.configs import InferenceConfig
from oumi.inference import build_engine
from oumi.quick_table import infer_table

if TYPE_CHECKING:
    import pyarrow as pa


class RayDataStage:
    """Blocks in, the same with columns for the answers out; made once in each actor.

    `ds.map_batches(RayDataStage, fn_constructor_kwargs={"config": config, "prompt": "{{ text }}"},
    batch_format="pyarrow", concurrency=4)`. The arguments are those of `oumi.infer_table`; the
    columns too. A row that failed has nulls, and its reason in the column `error`, so that it fails
    no block.
    """

    def __init__(self, config: InferenceConfig | Mapping[str, Any], **arguments: Any):
        self._config = InferenceConfig.model_validate(config)
        self._arguments = arguments
        self._engine = build_engine(self._config)

    def __call__(self, batch: pa.Table | Mapping[str, Any]) -> pa.Table:
        """The answers to a block, in its order."""
        import pyarrow as pa

        table = batch if isinstance(batch, pa.Table) else pa.table(dict(batch))
        return infer_table(
            table, config=self._config, engine=self._engine, progress=False, **self._arguments
        )
