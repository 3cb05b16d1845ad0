"""The file for `ray up` on the page on clusters is one, as Ray checks it."""

from __future__ import annotations

import pytest
import yaml

from tests.docs.pages import ROOT, blocks

ray_util = pytest.importorskip("ray.autoscaler._private.util")


def test_the_cluster_file_is_valid():
    code = [block.code for block in blocks(ROOT / "docs" / "cluster.md")]
    [text] = [one for one in code if "available_node_types" in one]
    config = yaml.safe_load(text)
    ray_util.validate_config(ray_util.prepare_config(config))
    with pytest.raises(Exception, match="max_worker"):
        ray_util.validate_config(ray_util.prepare_config({**config, "max_worker": 3}))
