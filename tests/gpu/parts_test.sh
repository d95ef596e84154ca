#!/bin/sh
# parts_test.sh SCRIPT FOLDER: parts that travelled in any order make the same file again; a damaged
# one, or one of another file, does not.
set -eu
script=$1 folder=$2

rm -rf "$folder"
mkdir -p "$folder"
cd "$folder"
# Neither the size nor the number of parts is round.
head -c 1000003 /dev/urandom >whole
sh "$script" split whole parts 90000
[ "$(find parts -name piece | wc -l)" = 12 ]
for part in parts/*; do
  [ "$(cat "$part"/* | wc -c)" -le 90000 ]
done

sh "$script" join made/again parts/07
[ ! -e made/again ]
# Some of them twice.
sh "$script" join made/again parts/12 parts/0[3-9] | grep -q 'missing: 01 02 10 11$'
sh "$script" join made/again parts/0[12] parts/1*
cmp whole made/again
[ ! -e made/again.parts ]

cp -r parts damaged
printf 'x' | dd of=damaged/05/piece bs=1 seek=4321 conv=notrunc 2>/dev/null
cmp -s parts/05/piece damaged/05/piece && exit 1
if sh "$script" join made/wrong damaged/*; then exit 1; fi
[ ! -e made/wrong ]

head -c 1000003 /dev/urandom >other
sh "$script" split other strange 90000
sh "$script" join made/mixed parts/01
if sh "$script" join made/mixed strange/02; then exit 1; fi
