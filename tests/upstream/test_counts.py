"""The tool itself, on a small checkout of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

PAGE = """# A page

```{code-block} python
:emphasize-lines: 1

engine = VLLMInferenceEngine(ModelParams(model_name="some/model"))
result = engine.infer([Conversation(messages=[Message(role=Role.USER, content="Hi")])])
```

```bash
not python
```

```{testcode}
with OpenAIInferenceEngine(ModelParams(model_name="m")) as api:
    answer = api.infer([Conversation(messages=[Message(role=Role.USER, content="Hi")])])
assert "iPhone" in answer[0].messages[-1].content
```

  ```python
  assert result[0].messages[-1].content
  raise RuntimeError("as it should")
  ```
"""
GOOD = "model: {model_name: m, chat_template: llama3-instruct}\nengine: VLLM\n"
BAD = "model: {model_name: m}\nengine: OPENAI\ngeneration: {num_beams: 3}\n"


def test_what_works_is_counted(tmp_path: Path):
    guide = tmp_path / "docs/user_guides/infer"
    configs = tmp_path / "configs/recipes"
    for folder in (guide, configs):
        folder.mkdir(parents=True)
    (guide / "page.md").write_text(PAGE)
    (configs / "good_infer.yaml").write_text(GOOD)
    (configs / "bad_infer.yaml").write_text(BAD)
    command = [sys.executable, "-m", "tests.upstream", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True)
    lines = done.stdout.splitlines()
    assert done.returncode == 1, done.stderr
    assert lines[0] == "1 of 2 YAML files accepted"
    assert "bad_infer.yaml: UnsupportedError: OPENAI cannot honour generation.num_beams" in lines[1]
    assert lines[2] == "1 of 1 templates that render what is said"
    assert lines[3] == "2 of 3 Python blocks of the guide run as they stand"
    assert lines[4] == "  not page.md:20: RuntimeError: as it should"
