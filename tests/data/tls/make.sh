#!/usr/bin/env bash
# Makes the certificates of tests/e2e/doctor_test.ts anew: an authority that nobody trusts, and for
# 127.0.0.1 a good, an expired and a self-signed certificate, and one for another name.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
touch "$work/index"

cat >"$work/ca.cnf" <<EOF
[ca]
default_ca = common
[common]
new_certs_dir = $work
database = $work/index
rand_serial = yes
default_md = sha256
policy = any
unique_subject = no
copy_extensions = copy
[any]
commonName = supplied
[authority]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign
[leaf]
basicConstraints = critical, CA:FALSE
EOF

# certificate: file, names, begin, end, then how it is signed
certificate() {
  local file=$1 names=$2 begin=$3 end=$4
  shift 4
  openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$file.key"
  openssl req -new -key "$file.key" -out "$work/$file.csr" -subj "/CN=Parley test $file" \
    -addext "subjectAltName=$names"
  openssl ca -batch -config "$work/ca.cnf" -in "$work/$file.csr" -out "$file.pem" -notext \
    -startdate "$begin" -enddate "$end" "$@" 2>/dev/null
}
begin=20200101000000Z
end=21200101000000Z
here="IP:127.0.0.1, DNS:localhost"
certificate authority DNS:authority.example $begin $end \
  -selfsign -keyfile authority.key -extensions authority
certificate self_signed "$here" $begin $end -selfsign -keyfile self_signed.key -extensions leaf
by_authority=(-cert authority.pem -keyfile authority.key -extensions leaf)
certificate good "$here" $begin $end "${by_authority[@]}"
certificate expired "$here" $begin 20210101000000Z "${by_authority[@]}"
certificate elsewhere DNS:elsewhere.example $begin $end "${by_authority[@]}"
# Of the first version of X.509, as openssl makes them without extensions; Deno's TLS takes none.
openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout first_version.key \
  -out "$work/first.csr" -subj "/CN=Parley test first_version"
openssl x509 -req -in "$work/first.csr" -signkey first_version.key -days 34000 \
  -out first_version.pem
rm authority.key
