#!/bin/sh
# What the command line does with one question, a text, and a table.
#
# sh examples/command_line.sh [MODEL]    the model in the package, or another one
set -eu
model=${1:-oumi-tiny}
folder=$(mktemp -d)
trap 'rm -r "$folder"' EXIT

echo "# One question, and another one in the same conversation"
oumi -m "$model" "What is the capital of France?"
oumi -c "And of Japan?"

echo "# A text and a question about it"
echo "The Orbit lamp costs \$20. It has a dimmer and comes in blue." |
    oumi -m "$model" "Extract product information as JSON." --schema 'name, price float, color'

echo "# A row at a time, into a table"
printf 'country\nItaly\nSpain\n' >"$folder/countries.csv"
oumi infer "$folder/countries.csv" "What is the capital of {{ country }}?" \
    -q -m "$model" --output_path "$folder/capitals.csv"
oumi show "$folder/capitals.csv"
