#!/bin/sh
# Compare models or prompts: a run of the same rows for each, a table, and a report.
#
# sh examples/compare.sh                 two prompts, with the model in the package
# sh examples/compare.sh MODEL MODEL     two models or more
set -eu
folder=$(mktemp -d)
trap 'rm -r "$folder"' EXIT
printf 'country\nFrance\nJapan\nItaly\n' >"$folder/countries.csv"

if [ $# -eq 0 ]; then
    set -- --prompt "What is the capital of {{ country }}?" \
        --prompt "The capital city of {{ country }}, please."
else
    for model; do
        set -- "$@" -m "$model"
        shift
    done
    set -- "$@" --prompt "What is the capital of {{ country }}?"
fi
oumi compare -q "$folder/countries.csv" --max_tokens 16 --output_path "$folder/compare" "$@"
