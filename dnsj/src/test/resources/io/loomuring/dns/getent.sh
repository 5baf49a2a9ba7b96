#!/usr/bin/env bash
# getent.sh FOLDER JAVA-COMMAND...: in a network and mount namespace of its own, with a name server on port 53,
# looks the names of FOLDER/conf/*/names up with the configuration beside them, by getent and by the Java
# command, and writes FOLDER/getent and FOLDER/java: configuration, name and addresses, tab-separated.
set -euo pipefail
folder=$1
shift
ip link set lo up
for address in 10.0.0.200/24 192.0.2.200/24 2001:db8::200/64 fd00::200/64; do
    ip address add "$address" dev lo
done
mount --bind "$folder/gai.conf" /etc/gai.conf
knotd -c "$folder/knot.conf" >"$folder/knot.log" 2>&1 &
server=$!
trap 'kill "$server"; wait "$server" || true' EXIT
for ((i = 0; i < 200; i++)); do
    if (: </dev/tcp/127.0.0.53/53) 2>/dev/null; then break; fi
    sleep 0.05
done
for conf in "$folder"/conf/*; do
    name=$(basename "$conf")
    for file in resolv.conf hosts nsswitch.conf; do
        mount --bind "$conf/$file" "/etc/$file"
    done
    (
        if [[ -e $conf/environment ]]; then
            while IFS= read -r variable; do export "${variable?}"; done <"$conf/environment"
            "$@" "$conf" >>"$folder/java"
        fi
        while IFS= read -r host; do
            mapfile -t lines < <(getent -A ahosts "$host")
            addresses=()
            for line in "${lines[@]}"; do
                if [[ $line == *STREAM* ]]; then addresses+=("${line%% *}"); fi
            done
            printf '%s\t%s\t%s\n' "$name" "$host" "${addresses[*]}"
        done <"$conf/names"
    )
    for file in resolv.conf hosts nsswitch.conf; do
        umount "/etc/$file"
    done
done >"$folder/getent"
plain=()
for conf in "$folder"/conf/*; do
    if [[ ! -e $conf/environment ]]; then plain+=("$conf"); fi
done
"$@" "${plain[@]}" >>"$folder/java"
