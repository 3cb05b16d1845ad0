"""The masks of a batch on NATIVE, beside those that llguidance gives one by one."""

from __future__ import annotations

import pytest

pytest.importorskip("transformers")
torch = pytest.importorskip("torch")

from transformers import AutoTokenizer  # noqa: E402

from oumi.backends.local.native.guidance import Guidance  # noqa: E402
from oumi.models import tiny_folder  # noqa: E402

GRAMMARS = ['start: "yes" | "no"', "start: /[a-z]{3,9}/", 'start: /.*/ "end"']
VOCABULARY = 2050  # more than the tokenizer has, and no whole number of octets


@pytest.fixture(params=[2, 8], ids=["in this thread", "in a pool"])
def guidance(request):
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield Guidance(AutoTokenizer.from_pretrained(tiny_folder()), VOCABULARY, [2])
    torch.set_num_threads(before)


def test_each_row_is_masked_by_its_own_grammar_and_the_others_are_left_alone(guidance):
    rows = [4, 0, 2]
    matchers = [guidance.matcher(grammar) for grammar in GRAMMARS]
    scores = torch.randn(6, VOCABULARY)
    expected = scores.clone()
    for row, matcher in zip(rows, matchers, strict=True):
        allowed = matcher.deep_copy().compute_logit_bias()  # an octet for each token
        expected[row, [not octet for octet in allowed]] = float("-inf")
    assert 0 < int(expected[4].isfinite().sum()) < int(expected[2].isfinite().sum())

    guidance.apply_mask(scores, list(zip(matchers, rows, strict=True)))
    assert torch.equal(scores, expected)
