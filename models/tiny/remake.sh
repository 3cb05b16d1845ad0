#!/bin/sh
# Remake oumi-tiny from nothing: tokenizer, training, export, score.
set -eu
cd "$(dirname "$0")"
work=${WORK:-build}
target=${TARGET:-../../src/oumi/models/tiny}
python tokenizer.py "$work/tokenizer"
python train.py "$work/tokenizer/tokenizer.json" "$work/tiny.pt" --compile --budget-s 3600
python export.py "$work/tiny.pt" "$work/tokenizer" "$target"
python index.py "$target"
python compare.py "$target"
python evaluate.py "$target/oumi-tiny.gguf"
