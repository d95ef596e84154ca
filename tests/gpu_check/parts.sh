#!/bin/sh
# A file that is too large to be copied at a time, in parts:
#   parts.sh split FILE PARTS BYTES   makes PARTS/01, PARTS/02, … of at most so many bytes each
#   parts.sh join FILE PART…          takes parts, in any order and over several calls, and makes FILE
#                                     once all of them were there
# A part is a folder: `piece`, and `whole`, which says of how many parts and of which SHA-256.
set -eu

fail() {
  echo "parts.sh: $*" >&2
  exit 1
}
sha256_of() { sha256sum "$1" | cut -d ' ' -f 1; }

# What is left of BYTES when `whole` lies beside a piece.
split_file() {
  file=$1 parts=$2 bytes=$(($3 - 128))
  [ "$bytes" -gt 0 ] || fail "parts of $3 bytes hold nothing"
  rm -rf "$parts"
  mkdir -p "$parts"
  split -b "$bytes" -a 2 --numeric-suffixes=1 "$file" "$parts/piece."
  n=$(find "$parts" -name 'piece.*' | wc -l)
  whole="$n $(sha256_of "$file")"
  for piece in "$parts"/piece.*; do
    part=$parts/${piece##*.}
    mkdir "$part"
    mv "$piece" "$part/piece"
    echo "$whole" >"$part/whole"
  done
  echo "parts.sh: $n parts of $file in $parts"
}

join_parts() {
  file=$1 held=$1.parts
  shift
  mkdir -p "$held"
  for part in "$@"; do
    { [ -f "$part/whole" ] && [ -f "$part/piece" ]; } || fail "$part is no part"
    [ ! -f "$held/whole" ] || cmp -s "$held/whole" "$part/whole" ||
      fail "$part is of another file than those in $held: remove that"
    cp "$part/whole" "$held/whole"
    # Under its name only when it is all there.
    cp "$part/piece" "$held/copy"
    mv "$held/copy" "$held/$(basename "$part")"
  done
  read -r n sum <"$held/whole"
  missing=''
  i=1
  while [ "$i" -le "$n" ]; do
    name=$(printf %02d "$i")
    [ -f "$held/$name" ] || missing="$missing $name"
    i=$((i + 1))
  done
  if [ -n "$missing" ]; then
    echo "parts.sh: of $n parts of $file these are missing:$missing"
    return
  fi
  cat "$held"/[0-9][0-9] >"$held/copy"
  [ "$(sha256_of "$held/copy")" = "$sum" ] || fail "$held do not make the file that was split: remove them"
  mv "$held/copy" "$file"
  rm -r "$held"
  echo "parts.sh: $file is whole"
}

case ${1:-} in
  split) [ $# -eq 4 ] || fail "usage: parts.sh split FILE PARTS BYTES" ;;
  join) [ $# -ge 3 ] || fail "usage: parts.sh join FILE PART..." ;;
  *) fail "usage: parts.sh split|join" ;;
esac
command=$1
shift
case $command in
  split) split_file "$@" ;;
  join) join_parts "$@" ;;
esac
