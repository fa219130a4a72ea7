#!/bin/sh
# Prints the features of a token's user; then prints each new set, until Ctrl-C.
set -eu
url=${TIDEGATE_URL:-http://localhost:5000}

curl --fail --silent --show-error --user ":$TIDEGATE_TOKEN" "$url/features"
echo
curl --fail --silent --show-error --user ":$TIDEGATE_TOKEN" --no-buffer "$url/features/stream" | sed -un 's/^data: //p'
